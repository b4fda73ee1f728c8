"""What makes assets run by themselves. All of it is on by default in production only; elsewhere one turns it on."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import dagster as dg

from platform_core.catalog.opening import open_catalog
from platform_core.orchestrator.ticks import cron_times, handled_until
from platform_core.settings import current_settings

Missed = Literal["skip", "last", "all"]
LATE = timedelta(minutes=10)  # a restart, or a code server that is just rolled out, makes a tick no missed one
CATCH_UP = 100  # ticks that are made up for at most, the newest: what is older is a backfill, which a person starts

# Rebuilds a partition, the newest or an old one that was delivered late, as soon as something it reads has changed.
REBUILD_ON_CHANGE = (
    dg.AutomationCondition.eager()
    .without(dg.AutomationCondition.in_latest_time_window())
    .with_label("rebuild when inputs change")
)


def schedule_status() -> dg.DefaultScheduleStatus:
    on = current_settings().writes_to.is_production
    return dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED


def sensor_status() -> dg.DefaultSensorStatus:
    on = current_settings().writes_to.is_production
    return dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED


def automation_sensor(location: str) -> dg.AutomationConditionSensorDefinition:
    """The sensor that evaluates the automation conditions of a location's assets and checks."""
    every = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()
    return dg.AutomationConditionSensorDefinition(
        f"{location}_automation", target=every, default_status=sensor_status()
    )


def refresh(
    name: str,
    selection: dg.AssetSelection,
    cron: str,
    timezone: str = "UTC",
    *,
    missed: Literal["skip", "last"] = "last",
) -> dg.ScheduleDefinition:
    """A schedule for assets without partitions; for partitioned ones there is `refresh_latest`.

    Args:
        missed: what follows when nobody looked at ticks while they were due: the last of them late, or nothing.
    """

    @_schedule(name, selection, cron, timezone)
    def once(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        due = context.scheduled_execution_time
        return _too_late(due) if missed == "skip" and _is_late(due) else dg.RunRequest()

    return once


def refresh_latest(
    name: str,
    selection: dg.AssetSelection,
    partitions: dg.PartitionsDefinition,
    cron: str,
    timezone: str = "UTC",
    *,
    missed: Missed = "last",
) -> dg.ScheduleDefinition:
    """A schedule that computes the newest partition that is complete. A tick evaluated twice launches one run.

    Args:
        missed: what follows when nobody looked at ticks while they were due: all of them late, each with the partition
            that was the newest then; the last of them; or nothing.
    """

    @_schedule(name, selection, cron, timezone)
    def newest_partition(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        due = context.scheduled_execution_time
        if missed == "skip" and _is_late(due):
            return _too_late(due)
        since = handled_until(context) if missed == "all" else None
        moments = [*cron_times(cron, timezone, since, due)][-CATCH_UP:] if since else []
        wanted = {_newest(partitions, moment): moment for moment in moments or [due]}
        requests = [_requested(key, moment) for key, moment in wanted.items() if key is not None]
        return requests or dg.SkipReason("No partition is complete yet.")

    return newest_partition


Evaluate = Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason | list[dg.RunRequest]]


def _schedule(
    name: str, selection: dg.AssetSelection, cron: str, timezone: str
) -> Callable[[Evaluate], dg.ScheduleDefinition]:
    return dg.schedule(
        name=f"{name}_schedule",
        job=dg.define_asset_job(name, selection),
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=schedule_status(),
    )


def _is_late(due: datetime) -> bool:
    return datetime.now(UTC) - due > LATE


def _too_late(due: datetime) -> dg.SkipReason:
    return dg.SkipReason(f"Nobody looked at it when it was due, at {due:%Y-%m-%d %H:%M %Z}, and it is not made up for.")


def _newest(partitions: dg.PartitionsDefinition, moment: datetime) -> str | None:
    with dg.partition_loading_context(effective_dt=moment):
        return partitions.get_last_partition_key()


def _requested(key: str, moment: datetime) -> dg.RunRequest:
    at = moment.astimezone(UTC)  # when clocks are set back, a local hour comes twice
    return dg.RunRequest(run_key=f"{key}@{at:%Y-%m-%dT%H:%M}", partition_key=key)


def source_file_sensor(
    name: str,
    pattern: str,
    selection: Sequence[dg.AssetsDefinition],
    partitions: dg.PartitionsDefinition,
    interval_seconds: int = 60,
) -> dg.SensorDefinition:
    """Computes a partition when its source file is delivered, and again when the file is delivered anew.

    A file that is seen for the first time but was computed since it was written is left alone.

    Args:
        pattern: path below the folder of sources, with `{partition}` in the place of the partition key.
    """

    @dg.sensor(
        name=name,
        job=dg.define_asset_job(f"{name}_job", dg.AssetSelection.assets(*selection)),
        minimum_interval_seconds=interval_seconds,
        default_status=sensor_status(),
    )
    def delivered(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen: dict[str, str] = json.loads(context.cursor or "{}")
        known = set(partitions.get_partition_keys())
        now = [item for item in deliveries(current_settings().sources, pattern) if item.partition in known]
        new = [item for item in now if seen.get(item.partition) != item.mark]
        first_seen = {item.partition for item in new} - set(seen)
        done = _computed(selection, [item for item in new if item.partition in first_seen])
        requests = [
            dg.RunRequest(run_key=f"{item.partition}@{item.mark}", partition_key=item.partition)
            for item in new
            if item.partition not in done
        ]
        cursor = json.dumps({item.partition: item.mark for item in now})
        reason = None if requests else f"No new file like {pattern}; {len(now)} are there and were computed before."
        return dg.SensorResult(run_requests=requests, cursor=cursor, skip_reason=reason)

    return delivered


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered file: the partition it holds, a mark that changes with it, and when it was written."""

    partition: str
    mark: str
    written_at: datetime


def deliveries(folder: Path, pattern: str) -> Iterator[Delivery]:
    """The delivered files that fit a pattern; files whose name begins with a dot are still being written."""
    before, after = pattern.split("{partition}")
    shape = re.compile(re.escape(before) + "(?P<partition>[^/]+?)" + re.escape(after))
    for path in sorted(folder.glob(f"{before}*{after}")):
        match = shape.fullmatch(path.relative_to(folder).as_posix())
        if match and not path.name.startswith("."):
            status = path.stat()
            written_at = datetime.fromtimestamp(status.st_mtime, UTC)
            yield Delivery(match["partition"], f"{status.st_size}-{status.st_mtime_ns}", written_at)


def _computed(assets: Sequence[dg.AssetsDefinition], delivered: Sequence[Delivery]) -> set[str]:
    """The partitions that were computed after their file was written, whoever did it: by hand, or before a restart."""
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    names = [key.to_user_string() for asset in assets for key in asset.keys]
    shown = [catalog.resolve(settings.writes_to, name, [item.partition for item in delivered]) for name in names]
    return {
        item.partition
        for item in delivered
        if all(
            item.partition in versions and versions[item.partition].version.created_at > item.written_at
            for versions in shown
        )
    }
