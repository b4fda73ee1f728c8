"""Dagster's daemons: those an instance needs, what they leave behind, and what they miss."""

import json
import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    NOT_FINISHED_STATUSES,
    InstigatorStatus,
    capture_interrupts,
    setup_interrupt_handlers,
)
from platform_core.orchestrator.errors import in_a_line
from platform_core.orchestrator.launches import fail_lost_launches
from platform_core.orchestrator.retries import missed_retries, retry_failed

UNLOADED = "headrace/unloaded_locations"
NOTE_LOCATIONS = 30.0  # seconds


def run_daemons(instance: dg.DagsterInstance, workspace: Path, level: str) -> None:
    """Does what `dagster-daemon run` does, with an instance that is open, until an interrupt; raises that."""
    from platform_core.dagster_internals import WorkspaceFileTarget, daemon_controller_from_instance

    setup_interrupt_handlers()
    target = WorkspaceFileTarget([str(workspace)])
    levels: dict[str, Any] = {"log_level": level, "code_server_log_level": "warning"}
    with (
        capture_interrupts(),
        daemon_controller_from_instance(instance, target, gen_daemons=daemons_of, **levels) as daemons,
        _noting_locations(instance, daemons._workspace_process_context),
    ):
        daemons.check_daemon_loop()


def daemons_of(instance: dg.DagsterInstance) -> Iterator[Any]:
    """Dagster's daemons, of which the one that starts failed runs again gives none of them up at once, and the one that
    asks after workers asks after those of runs that are about to begin, too."""
    from platform_core.dagster_internals import MonitoringDaemon as Monitoring
    from platform_core.dagster_internals import create_daemons_from_instance, event_log_consumer

    class MonitoringDaemon(Monitoring):
        def run_iteration(self, workspace_process_context: Any) -> Generator[Any, None, None]:
            yield from super().run_iteration(workspace_process_context)
            fail_lost_launches(instance)

    class EventLogConsumerDaemon(event_log_consumer.EventLogConsumerDaemon):  # by the name that logs know it by
        @property
        def handle_updated_runs_fns(self) -> Sequence[Any]:
            return [retry_failed]

        def run_iteration(self, workspace_process_context: Any) -> Generator[Any, None, None]:
            yield from super().run_iteration(workspace_process_context)
            yield from retry_failed(workspace_process_context, missed_retries(instance), self._logger)

    for daemon in create_daemons_from_instance(instance):
        if isinstance(daemon, event_log_consumer.EventLogConsumerDaemon):
            yield EventLogConsumerDaemon()
        elif isinstance(daemon, Monitoring):
            yield MonitoringDaemon(interval_seconds=daemon.interval_seconds)
        else:
            yield daemon


@contextmanager
def _noting_locations(instance: dg.DagsterInstance, workspace: Any) -> Iterator[None]:
    """Keeps in the instance which locations cannot be loaded: only the daemon sees all, and none can tell of itself."""
    ended = threading.Event()

    def note() -> None:
        while True:
            try:
                entries = workspace.get_current_workspace().code_location_entries
                errors = {name: in_a_line(entry.load_error) for name, entry in entries.items() if entry.load_error}
                instance.daemon_cursor_storage.set_cursor_values({UNLOADED: json.dumps(errors)})
            except Exception:  # a database that is away; the daemon's own loops say so, and go on
                logging.getLogger("headrace").exception("Which locations cannot be loaded was not noted.")
            if ended.wait(NOTE_LOCATIONS):
                return

    thread = threading.Thread(target=note, name="locations", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def unloaded_locations(instance: dg.DagsterInstance) -> dict[str, str]:
    """The locations that the daemon cannot load, with the error of each."""
    found = instance.daemon_cursor_storage.get_cursor_values({UNLOADED}).get(UNLOADED, "{}")
    errors: dict[str, str] = json.loads(found)
    return errors


def wanted_daemons(instance: dg.DagsterInstance) -> list[str]:
    """The daemons that an instance with its settings needs."""
    return sorted(instance.get_required_daemon_types())


def daemon_beats(instance: dg.DagsterInstance) -> dict[str, float]:
    """By daemon when it was last heard of, in seconds since 1970; only those that ever were."""
    return {name: beat.timestamp for name, beat in instance.get_daemon_heartbeats().items()}


def is_busy(instance: dg.DagsterInstance) -> bool:
    """Whether something goes on, or could begin by itself: runs, backfills, and schedules or sensors that are on."""
    from platform_core.dagster_internals import BulkActionsFilter, BulkActionStatus

    if instance.get_run_ids(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)), limit=1):
        return True
    going = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
    if instance.get_backfills(BulkActionsFilter(statuses=going), limit=1):
        return True
    return any(state.status == InstigatorStatus.RUNNING for state in instance.all_instigator_state())
