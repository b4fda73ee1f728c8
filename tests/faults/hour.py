"""A busy hour, compressed or as it is. This module is loaded by code servers.

Compressed, its minutes follow each other in seconds, and a sensor asks for each. As it is, a schedule does.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.automation import refresh_latest, sensor_status
from platform_core.settings import current_settings

ROUNDS, LONGEST = 100, 99
MINUTE = timedelta(minutes=1)
FORMAT = "%Y-%m-%d-%H:%M"


@dataclass(frozen=True)
class Hour:
    """Some minutes: when the first begins and the last is due, as seconds since 1970, and the partitions they are."""

    begin: float
    keys: list[str]
    end: float


def compressed_hour(home: Path, number: int, minutes: int, every: float) -> Hour:
    """Lets an hour begin whose minutes take seconds, `every` of them each."""
    begin = time.time() + 1
    keys = [f"{number:02}-{minute:02}" for minute in range(minutes)]
    due = {key: begin + every * minute for minute, key in enumerate(keys)}
    scratch = home / "hour.json.scratch"
    scratch.write_text(json.dumps(due))
    scratch.replace(home / "hour.json")
    return Hour(begin, keys, begin + minutes * every)


def real_hour(minutes: int) -> Hour:
    """The next minutes. A minute is due when it is over."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0) + MINUTE
    keys = [f"{begin + number * MINUTE:{FORMAT}}" for number in range(minutes)]
    return Hour(begin.timestamp(), keys, (begin + minutes * MINUTE).timestamp())


def minutes_of(since: str) -> dg.PartitionsDefinition:
    """The partitions: those of compressed hours, or each minute since a time that is written as such a partition is."""
    if since:
        return dg.TimeWindowPartitionsDefinition(start=since, fmt=FORMAT, cron_schedule="* * * * *")
    return dg.StaticPartitionsDefinition(
        [f"{number:02}-{minute:02}" for number in range(ROUNDS) for minute in range(LONGEST)]
    )


def ticks(location: str, since: str) -> dict[str, Any]:
    """What asks for a run of each minute of a location, as arguments of `build_location`."""
    selection = dg.AssetSelection.key_prefixes(location)
    if since:
        every_minute = refresh_latest("minutes", selection, minutes_of(since), "* * * * *", missed="all")
        return {"schedules": [every_minute]}
    return {"sensors": [_each_minute_due(dg.define_asset_job("minutes", selection))]}


def _each_minute_due(job: Any) -> dg.SensorDefinition:
    """Asks for a run of each minute once it is due, as a schedule would. That it was asked for is in the cursor."""

    @dg.sensor(name="minutes_sensor", job=job, minimum_interval_seconds=1, default_status=sensor_status())
    def due(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        new = [key for key in _due() if key > (context.cursor or "")]
        requests = [dg.RunRequest(run_key=key, partition_key=key) for key in new]
        return dg.SensorResult(run_requests=requests, cursor=max(new, default=context.cursor))

    return due


def _due() -> Iterator[str]:
    path = current_settings().home / "hour.json"
    if path.exists():
        yield from (key for key, at in json.loads(path.read_text()).items() if at <= time.time())
