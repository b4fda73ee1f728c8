"""Schedules and sensors: when they tick, when they did, and which failed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    InstigatorStatus,
    InstigatorTick,
    InstigatorType,
    TickStatus,
    cron_string_iterator,
    reverse_cron_string_iterator,
)

_ON = (InstigatorStatus.RUNNING, InstigatorStatus.DECLARED_IN_CODE)


def failed_ticks(instance: dg.DagsterInstance) -> dict[str, InstigatorTick]:
    """By name the last tick of each schedule and sensor that is on and whose last tick failed."""
    found = {}
    done = [TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.FAILURE]
    for state in instance.all_instigator_state():
        if state.status in _ON:
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=done)
            if ticks and ticks[0].status == TickStatus.FAILURE:
                found[state.name] = ticks[0]
    return found


def running_schedules(instance: dg.DagsterInstance) -> dict[str, tuple[float, float]]:
    """By name the schedules that are on: since when, and when the last one ticked; in seconds since 1970."""
    found = {}
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        if state.status in _ON:
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
            started = getattr(state.instigator_data, "start_timestamp", None) or 0.0
            found[state.name] = (started, ticks[0].timestamp if ticks else 0.0)
    return found


def latest_cron_tick(cron: str, timezone: str, before: datetime) -> datetime:
    """The last moment that a cron expression names until another one, in UTC."""
    return next(iter(reverse_cron_string_iterator(before.timestamp(), cron, timezone))).astimezone(UTC)


def cron_times(cron: str, timezone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments that a cron expression names after one and up to another one, as the scheduler has them; in UTC,
    as times of one zone are compared by the hands of its clocks."""
    for named in cron_string_iterator(after.timestamp(), cron, timezone):
        moment = named.astimezone(UTC)
        if moment > until.astimezone(UTC):
            return
        if moment > after.astimezone(UTC):
            yield moment


def handled_until(context: dg.ScheduleEvaluationContext) -> datetime | None:
    """Up to when a schedule has done what it had to before this tick: its last tick that ended well, or when it was
    switched on; None outside of the scheduler. The same for a tick that is evaluated twice.
    """
    if not context.log_key:
        return None
    instance: Any = context.instance
    tick = instance.schedule_storage.get_tick(int(context.log_key[-1]))
    state = instance.get_instigator_state(tick.instigator_origin_id, tick.selector_id)
    done = [TickStatus.SUCCESS, TickStatus.SKIPPED]
    before = {"before": tick.timestamp, "limit": 1, "statuses": done}
    ticks = instance.get_ticks(tick.instigator_origin_id, tick.selector_id, **before)
    on_since = getattr(state.instigator_data, "start_timestamp", None) if state else None
    times = [one for one in (ticks[0].timestamp if ticks else None, on_since) if one is not None]
    return datetime.fromtimestamp(max(times), UTC) if times else None
