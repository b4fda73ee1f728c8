"""What a run and its steps tell beside the event log: their part of a trace, and what lines of the log are about."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from platform_core.compute.requests import StepRequest
from platform_core.dagster_internals import PlanOrchestrationContext
from platform_core.logs import about
from platform_core.orchestrator.errors import error_of, root_cause
from platform_core.settings import current_settings
from platform_core.tracing.spans import is_traced, traced_run, traced_step
from platform_core.tracing.trace import Spanned

Events = Iterator[dg.DagsterEvent]


def observed_run(context: PlanOrchestrationContext, events: Events) -> Events:
    """The events of a run, which is traced while they come."""
    about(run=context.run_id, step=None, asset=None, partition=None)
    facts = {"run": context.run_id, "job": context.job_name, "namespace": current_settings().namespace}
    run = traced_run(context.run_id, f"run {context.job_name}", _began(context), facts)
    try:
        for event in events:
            if event.is_step_failure:
                run.fail("a step failed")
            yield event
    except Exception as error:
        run.fail(type(error).__name__)
        raise
    finally:
        run.end()
        about(run=None)


def _began(context: PlanOrchestrationContext) -> float | None:
    """When the run began, perhaps in an earlier process."""
    record = context.instance.get_run_record_by_id(context.run_id) if is_traced() else None
    return record.start_time if record else None


@contextmanager
def observed_step(request: StepRequest) -> Iterator[Spanned]:
    """Around everything that this process does of a step."""
    about(run=request.run, step=request.step, partition=request.partition or None)
    facts = {"run": request.run, "step": request.step, "namespace": current_settings().namespace}
    if request.partition:
        facts["partition"] = request.partition
    with traced_step(f"step {request.step}", facts) as span:
        yield span


def mark(span: Spanned, entry: dg.EventLogEntry) -> None:
    """Lets the span of a step know that it failed."""
    event = entry.dagster_event
    if event is not None and (event.is_step_failure or event.is_step_up_for_retry):
        error = error_of(event)
        span.fail((root_cause(error).cls_name if error else None) or "an error")
