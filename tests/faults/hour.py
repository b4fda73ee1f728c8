"""A busy hour, compressed: its minutes follow each other in seconds. This module is loaded by code servers."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from platform_core.automation import sensor_status
from platform_core.settings import current_settings

ROUNDS, LONGEST = 100, 99
MINUTES = dg.StaticPartitionsDefinition(
    [f"{number:02}-{minute:02}" for number in range(ROUNDS) for minute in range(LONGEST)]
)


def write_hour(home: Path, number: int, begin: float, every: float, minutes: int) -> list[str]:
    """Lets an hour begin. Returns its minutes."""
    keys = [f"{number:02}-{minute:02}" for minute in range(minutes)]
    due = {key: begin + every * minute for minute, key in enumerate(keys)}
    scratch = home / "hour.json.scratch"
    scratch.write_text(json.dumps(due))
    scratch.replace(home / "hour.json")
    return keys


def every_minute(location: str) -> dg.SensorDefinition:
    """Asks for a run of each minute once it is due, as a schedule would. That it was asked for is in the cursor."""

    @dg.sensor(
        name="every_minute",
        job=dg.define_asset_job("minutes", dg.AssetSelection.key_prefixes(location)),
        minimum_interval_seconds=1,
        default_status=sensor_status(),
    )
    def due(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        new = [key for key in _due() if key > (context.cursor or "")]
        requests = [dg.RunRequest(run_key=key, partition_key=key) for key in new]
        return dg.SensorResult(run_requests=requests, cursor=max(new, default=context.cursor))

    return due


def _due() -> Iterator[str]:
    path = current_settings().home / "hour.json"
    if path.exists():
        yield from (key for key, at in json.loads(path.read_text()).items() if at <= time.time())
