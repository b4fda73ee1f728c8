"""Launches that came to nothing: the daemon died while it launched a run, or the run's worker before the run began."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from platform_core.dagster_internals import WorkerStatus

LOST_AFTER = timedelta(minutes=1)  # longer than any launch takes


def fail_lost_launches(instance: dg.DagsterInstance, now: datetime | None = None) -> None:
    """Fails the runs that nobody is going to begin, so that they are started again.

    Dagster asks after workers of runs that have begun alone, and waits for the others as long as it may take to find a
    machine for them.
    """
    if not instance.run_launcher.supports_check_run_worker_health:
        return
    before = (now or datetime.now(UTC)) - LOST_AFTER
    for record in instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING])):
        if record.update_timestamp < before:
            _fail_if_lost(instance, record.dagster_run)


def _fail_if_lost(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    health = instance.run_launcher.check_run_worker_health(run)
    if health.status not in (WorkerStatus.NOT_FOUND, WorkerStatus.FAILED):
        return
    now = instance.get_run_by_id(run.run_id)
    if now is not None and now.status == dg.DagsterRunStatus.STARTING:  # not begun in this moment
        told = instance.run_launcher.get_run_worker_debug_info(run) or ""
        instance.report_run_failed(run, f"Its worker was never there, or ended before it began. {health.msg}\n{told}")
