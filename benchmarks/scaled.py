"""One asset in four stages, for docs/scaling.md: `python -m benchmarks.scaled horizontal` computes one of them.

`--on kubernetes`, `container`, `batch` or `batch in containers` computes it there, where this machine has it.
Only `smoothed` differs. `readings`, which it reads, and `alarms`, which reads it, are the same in all of them.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from random import Random

import dagster as dg
import polars as pl

from benchmarks.scaled_work import WINDOW, running_medians
from platform_core import Compute, client, fact, feature
from platform_core.compute.executor import routing_executor
from platform_core.compute.held_event_log import held_open
from platform_core.io_manager import HeadraceIOManager
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.runs import LocationOrigin, stream_run
from platform_core.orchestrator.spared import spare_imports
from tests.platform_core.compute.behaviour.table import table

ROWS = int(os.environ.get("HEADRACE_BENCH_ROWS", "200000"))  # of each sensor
SENSORS = [f"sensor-{number}" for number in range(4)]
PARTITIONS = dg.StaticPartitionsDefinition(SENSORS)
HIGH = 2.5
MODULE = "benchmarks.scaled"


@fact
def readings() -> pl.DataFrame:
    """What sensors measured."""
    random = Random(7)
    return pl.DataFrame({
        "sensor": [sensor for sensor in SENSORS for _ in range(ROWS)],
        "value": [random.gauss(20, 1) for _ in range(ROWS * len(SENSORS))],
    })  # fmt: skip


@feature
def alarms(smoothed: pl.DataFrame) -> pl.DataFrame:
    """How often each sensor was far above what is usual: the consumer, which never changes."""
    high = pl.col("value") > pl.col("usual") + HIGH
    return smoothed.group_by("sensor").agg(alarms=high.sum()).sort("sensor")


@feature(name="smoothed", compute=Compute(cpu=1, memory="1GiB"))
def simple(readings: pl.DataFrame) -> pl.DataFrame:
    """As it was written first: one loop, on one processor."""
    parts = readings.partition_by("sensor", maintain_order=True)
    return pl.concat(part.with_columns(usual=pl.Series(running_medians(part["value"].to_numpy()))) for part in parts)


@feature(name="smoothed", compute=Compute(cpu=2, memory="2GiB"))
def vertical(readings: pl.DataFrame) -> pl.DataFrame:
    """The same loop on as many processors as the step was given."""
    parts = readings.partition_by("sensor", maintain_order=True)
    # Threads, as numpy sorts without holding Python's lock.
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(running_medians, [part["value"].to_numpy() for part in parts])
        return pl.concat(part.with_columns(usual=pl.Series(usual)) for part, usual in zip(parts, found, strict=True))


@feature(name="smoothed", compute=Compute(cpu=1, memory="1GiB"), partitions_def=PARTITIONS)
def horizontal(context: dg.AssetExecutionContext, readings: pl.LazyFrame) -> pl.DataFrame:
    """The same loop for one sensor: each a process of its own, wherever the deployment has room."""
    part = readings.filter(sensor=context.partition_key).collect()
    return part.with_columns(usual=pl.Series(running_medians(part["value"].to_numpy())))


@feature(name="smoothed", compute=Compute(cpu=1, memory="1GiB"))
def optimised(readings: pl.LazyFrame) -> pl.LazyFrame:
    """The same numbers by a library that keeps the window sorted."""
    usual = pl.col("value").rolling_median(WINDOW, min_samples=1).over("sensor")
    return readings.with_columns(usual=usual)


STAGES = {"simple": simple, "vertical": vertical, "horizontal": horizontal, "optimised": optimised}


def _definitions(stage: str) -> dg.Definitions:
    return dg.Definitions(
        assets=[readings, STAGES[stage], alarms],
        resources={"io_manager": HeadraceIOManager()},
        executor=routing_executor(table()),
    )


# By name, as processes of steps ask for them.
simple_defs, vertical_defs, horizontal_defs, optimised_defs = map(_definitions, STAGES)


def compute(stage: str) -> tuple[float, pl.DataFrame]:
    """Seconds of the run that computes `smoothed`, and what its consumer makes of it."""
    spare_imports()
    with dg.DagsterInstance.get() as instance:
        _run(stage, "readings", instance)
        started = time.perf_counter()
        _run(stage, "smoothed", instance)
        seconds = time.perf_counter() - started
        _run(stage, "alarms", instance)
    return seconds, client.load("alarms")


def _run(stage: str, asset: str, instance: dg.DagsterInstance) -> None:
    job = globals()[f"{stage}_defs"].resolve_implicit_global_asset_job_def()
    origin = LocationOrigin("scaled", MODULE, f"{stage}_defs", Path(sys.executable))
    tags = partition_tags([SENSORS[0], SENSORS[-1]]) if (stage, asset) == ("horizontal", "smoothed") else {}
    events = list(stream_run(job, instance, [dg.AssetKey(asset)], tags, origin, hold=held_open))
    if events[-1].event_type != dg.DagsterEventType.RUN_SUCCESS:
        raise SystemExit(f"{stage} failed: {events[-1].message}")


def main() -> None:
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        (Path(folder) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ |= {"DAGSTER_HOME": folder, "HEADRACE_HOME": folder, "HEADRACE_NAMESPACE": "user/bench"}
        if asked.on:
            os.environ |= _deployment(Path(folder), asked.on, stack)
        # Under the name that processes of steps know it by, and not before the variables are there.
        seconds, told = import_module(MODULE).compute(asked.stage)
        print(f"{seconds:.2f} s, alarms: {told['alarms'].to_list()}")


def _deployment(folder: Path, place: str, stack: ExitStack) -> Mapping[str, str]:
    """The variables of a deployment whose steps run there, as the tests have it."""
    from tests.platform_core.compute.behaviour.places import PLACES
    from tests.platform_core.compute.behaviour.worlds import a_world

    found = stack.enter_context(PLACES[place](folder))
    return stack.enter_context(a_world(folder, {found.name: found})).environment


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("--on", default="", help="where steps run, other than on this machine")
    return parser


if __name__ == "__main__":
    main()
