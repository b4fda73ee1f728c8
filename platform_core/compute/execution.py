"""Executes one step in this process: a worker's, or one that was forked from the run worker's."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_core.compute.following import Following
from platform_core.compute.journal import JournalWriter, journal_path
from platform_core.compute.observed import mark, observed_step
from platform_core.compute.requests import StepRequest, instance_of
from platform_core.compute.retelling import Retelling
from platform_core.dagster_internals import (
    ExecutionPlan,
    ExecutionStep,
    IJob,
    KnownExecutionState,
    PlanOrchestrationContext,
    ResolvedRunConfig,
    capture_interrupts,
    create_execution_plan,
    execute_plan_iterator,
    local_compute_log_manager,
    redirect_to_file,
    serialize_value,
    setup_interrupt_handlers,
)
from platform_core.environments.frozen import require_planned
from platform_core.errors import FrozenError, NotFoundError
from platform_core.orchestrator.event_log import tell_refusal
from platform_core.orchestrator.runs import execute_step_of, job_of
from platform_core.orchestrator.spared import spare_default_state, spare_imports
from platform_core.provenance import begin
from platform_core.tracing.trace import Spanned

if TYPE_CHECKING:
    from platform_core.compute.backends.local.zygote import Start

Write = Callable[[str], None]
PrintTo = Callable[[int, str], None]  # takes 1 for standard output or 2 for standard error, and the path of a file


def execute_step(request: StepRequest, parent: Following) -> None:
    """Executes a step as `dagster api execute_step` does, without its start-up. Events go to the event log.

    Args:
        parent: the process that watches over this one.

    Raises:
        NotFoundError: the instance does not know the run.
    """
    spare_imports()
    spare_default_state()
    setup_interrupt_handlers()  # a request to end reaches the step's code as an interrupt, so that it can clean up
    with capture_interrupts(), observed_step(request) as span, _instance(request) as instance:
        run = _run(instance, request)
        retold, store = Retelling(request), instance.handle_new_event

        def take(entry: dg.EventLogEntry) -> None:
            if entry.dagster_event and entry.dagster_event.event_type == dg.DagsterEventType.STEP_START:
                _begin(parent)
            mark(span, entry)
            if told := retold(entry):
                store(told)

        _divert(instance, take)
        _print_to_files(parent.tell)
        if _is_refused(instance, run, request):
            return
        execute_step_of(run, instance, request.step, request.retry_mode, request.known_state)


def _begin(parent: Following) -> None:
    """From here on it is the step's own code that runs, and its own memory that is looked through."""
    gc.freeze()
    gc.enable()
    begin()
    parent.begin()


def _is_refused(instance: dg.DagsterInstance, run: dg.DagsterRun, request: StepRequest) -> bool:
    """Whether this process is in another environment than the step was planned for, which is told as its failure."""
    try:
        require_planned()
    except FrozenError as error:
        tell_refusal(instance, run, request.step, str(error))
        return True
    return False


def _instance(request: StepRequest) -> dg.DagsterInstance:
    reference = instance_of(request)
    return dg.DagsterInstance.from_ref(reference) if reference else dg.DagsterInstance.get()


def _run(instance: dg.DagsterInstance, request: StepRequest) -> dg.DagsterRun:
    run = instance.get_run_by_id(request.run)
    if run is None or run.job_code_origin is None:
        raise NotFoundError(
            f"The Dagster instance of this step does not know its run {request.run}: is it the same database?"
        )
    return run.with_tags(request.tags) if request.tags else run


Execute = Callable[[StepRequest, Write], None]


def forked_step(context: PlanOrchestrationContext, plan: ExecutionPlan) -> Execute:
    """What executes a request in a process forked from the run worker, where job, plan and instance are there already.

    A process of its own has to make all of them again, in a time that grows with the job. Events are written as
    lines: a forked process must not use the database connections of its parent.
    """
    return _executing(context.job, context.dagster_run, context.instance, plan)


def served_step(request: StepRequest) -> Execute:
    """The same for processes that are forked from this one, which is of another environment than the run worker.

    Raises:
        NotFoundError: the instance does not know the run.
    """
    instance = _instance(request)
    run = _run(instance, request)
    job = job_of(run)
    return _executing(job, run, instance, create_execution_plan(job, run.run_config))


def into_journal(execute: Execute) -> "Callable[[Start], None]":
    """What a forked process does with its start: executes the step and writes its events to the attempt's journal."""

    def step(start: "Start") -> None:
        write = JournalWriter(journal_path(Path(start.folder), start.attempt)).write
        execute(StepRequest.from_text(start.payload), write)

    return step


def _executing(job: IJob, run: dg.DagsterRun, instance: dg.DagsterInstance, plan: ExecutionPlan) -> Execute:
    config = ResolvedRunConfig.build(job.get_definition(), run.run_config)
    _ = instance.compute_log_manager  # made at the first question, which else each step would ask first

    def execute(request: StepRequest, write: Write) -> None:
        begin()
        setup_interrupt_handlers()
        with observed_step(request) as span:
            retold = Retelling(request, has_limit=True)
            _divert(instance, _writing(write, retold, span))
            _print_to_files(lambda *_: None)
            _keep_config(config, run.job_name)
            own = run.with_tags(request.tags) if request.tags else run
            if _is_refused(instance, own, request):
                return
            part = _part_of(plan, request.step, request.known_state, job, config)
            with capture_interrupts():
                for _ in execute_plan_iterator(part, job, own, instance, request.retry_mode, own.run_config):
                    pass
            if retold.ran_out_of_memory:
                raise MemoryError

    return execute


def _writing(write: Write, retold: Retelling, span: Spanned) -> Callable[[dg.EventLogEntry], None]:
    def take(entry: dg.EventLogEntry) -> None:
        mark(span, entry)
        if told := retold(entry):
            write(serialize_value(told))

    return take


def _part_of(
    plan: ExecutionPlan, step: str, known: KnownExecutionState, job: IJob, config: ResolvedRunConfig
) -> ExecutionPlan:
    """The plan of one step. One that a dynamic output brings about is not in a plan that was made before."""
    if not isinstance(plan.step_dict_by_key.get(step), ExecutionStep):
        return create_execution_plan(job, config.to_dict(), [step], known)
    part = plan.build_subset_plan([step], job.get_definition(), config)
    return part._replace(known_state=known)


def _keep_config(config: ResolvedRunConfig, job: str) -> None:
    """Keeps this process from checking the configuration of every op of the job again, which its parent has done.

    Other jobs, such as those in which a step tries an asset, have a configuration of their own.
    """
    vars_of_class: Any = ResolvedRunConfig
    build = ResolvedRunConfig.build
    vars_of_class.build = staticmethod(lambda of, *rest, **more: config if of.name == job else build(of, *rest, **more))


def _divert(instance: dg.DagsterInstance, take: Callable[[dg.EventLogEntry], None]) -> None:
    """Hands each entry that the instance would store to `take` instead."""

    def handle(entry: Any, *, batch_metadata: object = None) -> None:  # noqa: ARG001
        if instance.should_store_event(entry):
            take(entry)

    vars(instance)["handle_new_event"] = handle


def _print_to_files(print_to: PrintTo) -> None:
    """Captures what the step prints without a `tail` process, which images may lack and which is ended too early."""

    @contextmanager
    def to_file(stream: Any, path: str) -> Iterator[None]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        print_to(stream.fileno(), path)
        with redirect_to_file(stream, path):
            yield

    vars(local_compute_log_manager)["mirror_stream_to_file"] = to_file
