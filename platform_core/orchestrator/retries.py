"""Runs that failed for no fault of their code are started again, also those that Dagster's daemon would give up."""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    AUTO_RETRY_RUN_ID_TAG,
    WILL_RETRY_TAG,
    DagsterEvent,
    EngineEventData,
    KnownExecutionState,
    SerializableErrorInfo,
)
from platform_core.orchestrator.errors import error_info, in_a_line

TRIED_FOR = timedelta(hours=1)  # after which a run that could not be started again is given up
ALL_DONE = (
    "All steps had succeeded when the worker of this run failed: nothing is left to be done, so the run has, too."
)


def missed_retries(instance: dg.DagsterInstance) -> Sequence[dg.RunRecord]:
    """Runs that failed of late, are to be started again, and were not.

    Dagster's daemon looks once at the event of a failure, and gives the run up when its row does not yet say that it
    failed: that is written a moment later (dagster-io/dagster#33741 has figures).
    """
    tags, of_late = {WILL_RETRY_TAG: "true"}, datetime.now(UTC) - 2 * TRIED_FOR
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags=tags, updated_after=of_late)
    records = instance.get_run_records(failed)
    again = {record.dagster_run.run_id: record.dagster_run.tags.get(AUTO_RETRY_RUN_ID_TAG) for record in records}
    left = _left_behind(instance, [run_id for run_id in again.values() if run_id])
    return [record for record in records if again[record.dagster_run.run_id] in {None, *left}]


def _left_behind(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> list[str]:
    """Of some runs those that were made, and never launched."""
    if not run_ids:
        return []
    made = dg.RunsFilter(run_ids=[*run_ids], statuses=[dg.DagsterRunStatus.NOT_STARTED])
    return [run.run_id for run in instance.get_runs(made)]


def retry_failed(
    workspace: Any, records: Sequence[dg.RunRecord], logger: logging.Logger
) -> Iterator[SerializableErrorInfo | None]:
    """Starts those runs again that are to be; the errors it gives are those of runs which have to wait.

    Dagster's own gives a run up when it cannot be started again just then, be it because the server of its code
    is itself being started again; and when nothing is left to be done, though that is a success.
    """
    from platform_core.dagster_internals import filter_runs_to_should_retry

    ends = {record.dagster_run.run_id: record.end_time for record in records}
    for run in filter_runs_to_should_retry([record.dagster_run for record in records], workspace.instance):
        yield None
        try:
            _retry(workspace, run)
        except Exception as error:
            told = error_info(error)
            logger.warning("Run %s could not be started again: %s", run.run_id, in_a_line(told))
            if _is_long_ago(ends[run.run_id]):
                _give_up(workspace.instance, run, told)
            yield told


def _retry(workspace: Any, run: dg.DagsterRun) -> None:
    from platform_core.dagster_internals import retry_run

    left, _ = KnownExecutionState.build_resume_retry_reexecution(workspace.instance, parent_run=run)
    if left:
        retry_run(run, workspace)
        return
    event = DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name=run.job_name, message=ALL_DONE)
    workspace.instance.report_dagster_event(event, run_id=run.run_id)
    workspace.instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false"})


def _is_long_ago(end: float | None) -> bool:
    return end is not None and datetime.fromtimestamp(end, UTC) + TRIED_FOR < datetime.now(UTC)


def _give_up(instance: dg.DagsterInstance, run: dg.DagsterRun, error: SerializableErrorInfo) -> None:
    instance.report_engine_event(f"Not started again: {in_a_line(error)}", run, EngineEventData(error=error))
    instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false"})
