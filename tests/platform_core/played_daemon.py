"""What Dagster's daemon does and leaves behind, done by a test at a moment of its choice."""

import logging
import time
from datetime import datetime
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
    ScheduleInstigatorData,
    SensorInstigatorData,
    SerializableErrorInfo,
    TickData,
    TickStatus,
)


def switch_on(instance: dg.DagsterInstance, at: datetime) -> None:
    """Switches all schedules on as the UI does, as of a time."""
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        data: Any = state.instigator_data
        since = ScheduleInstigatorData(data.cron_schedule, at.timestamp())
        instance.update_instigator_state(state.with_status(InstigatorStatus.RUNNING).with_data(since))


def switch_schedule_on(instance: dg.DagsterInstance, schedule: dg.ScheduleDefinition) -> None:
    """As the button in the UI does, at present."""
    home = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    since = ScheduleInstigatorData(schedule.cron_schedule or "", time.time())
    origin = RemoteInstigatorOrigin(home, schedule.name)
    state = InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, since)
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is not None
    (instance.update_instigator_state if known else instance.add_instigator_state)(state)


def note_tick(instance: dg.DagsterInstance, sensor: str, error: Exception | None = None) -> None:
    """Notes a tick of a sensor that is on, as the daemon does."""
    home = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    origin = RemoteInstigatorOrigin(home, sensor)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    if instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is None:
        instance.add_instigator_state(state)
    status, told = TickStatus.SKIPPED, None
    if error is not None:
        status, told = TickStatus.FAILURE, SerializableErrorInfo(str(error), [], type(error).__name__)
    data = (state.instigator_origin_id, sensor, InstigatorType.SENSOR, status, time.time())
    instance.create_tick(TickData(*data, error=told, selector_id=state.selector_id))


def beat_daemon(instance: dg.DagsterInstance, name: str, at: float) -> None:
    """Notes that a daemon was heard of."""
    from platform_core.dagster_internals import DaemonHeartbeat

    instance.add_daemon_heartbeat(DaemonHeartbeat(at, name, None, None))


def tick_schedules(workspace: Any, now: datetime, seen: dict[str, Any]) -> None:
    """Does what the scheduler does at one moment.

    Args:
        seen: what it remembers from one to the next, as long as its process lives; empty at first.
    """
    from platform_core.dagster_internals import launch_scheduled_runs

    for told in launch_scheduled_runs(workspace, logging.getLogger("headrace.schedules"), now, iteration_times=seen):
        if isinstance(told, SerializableErrorInfo):
            raise RuntimeError(told.to_string())


def reopen_ticks(instance: dg.DagsterInstance) -> None:
    """Leaves the last tick of each schedule as a daemon does that dies before it notes how the tick ended."""
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1):
            instance.update_tick(tick.with_status(TickStatus.STARTED))
