"""What makes assets run by themselves. All of it is on by default in production only; elsewhere one turns it on."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from platform_core.settings import current_settings

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
    """The sensor that evaluates the automation conditions of a location's assets."""
    return dg.AutomationConditionSensorDefinition(
        f"{location}_automation", target=dg.AssetSelection.all(), default_status=sensor_status()
    )


def refresh(name: str, selection: dg.AssetSelection, cron: str, timezone: str = "UTC") -> dg.ScheduleDefinition:
    """A schedule for assets without partitions; for partitioned ones there is `refresh_latest`."""
    job = dg.define_asset_job(name, selection)
    return dg.ScheduleDefinition(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=schedule_status(),
    )


def refresh_latest(
    name: str, selection: dg.AssetSelection, partitions: dg.PartitionsDefinition, cron: str, timezone: str = "UTC"
) -> dg.ScheduleDefinition:
    """A schedule that computes the newest partition that is complete. A tick evaluated twice launches one run."""
    job = dg.define_asset_job(name, selection)

    @dg.schedule(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        default_status=schedule_status(),
    )
    def newest_partition(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        with dg.partition_loading_context(effective_dt=context.scheduled_execution_time):
            key = partitions.get_last_partition_key()
        if key is None:
            return dg.SkipReason("No partition is complete yet.")
        return dg.RunRequest(run_key=f"{key}@{context.scheduled_execution_time:%Y-%m-%dT%H:%M}", partition_key=key)

    return newest_partition


def source_file_sensor(
    name: str,
    pattern: str,
    selection: Sequence[dg.AssetsDefinition],
    partitions: dg.PartitionsDefinition,
    interval_seconds: int = 60,
) -> dg.SensorDefinition:
    """Computes a partition when its source file is delivered, and again when the file is delivered anew.

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
        now = {key: mark for key, mark in deliveries(current_settings().sources, pattern) if key in known}
        requests = [
            dg.RunRequest(run_key=f"{key}@{mark}", partition_key=key)
            for key, mark in now.items()
            if seen.get(key) != mark
        ]
        if not requests:
            return dg.SkipReason(
                f"No new file like {pattern} in {current_settings().sources}; {len(now)} were seen before."
            )
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(now))

    return delivered


def deliveries(folder: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """The partition key of each delivered file that fits the pattern, and a mark that changes with the file."""
    before, after = pattern.split("{partition}")
    shape = re.compile(re.escape(before) + "(?P<partition>[^/]+?)" + re.escape(after))
    for path in sorted(folder.glob(f"{before}*{after}")):
        match = shape.fullmatch(path.relative_to(folder).as_posix())
        if match and not path.name.startswith("."):
            status = path.stat()
            yield match["partition"], f"{status.st_size}-{status.st_mtime_ns}"
