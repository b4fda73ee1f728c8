"""Runs whose worker is this process tell their events, and belong to their location in the UI."""

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl

from platform_core import fact, feature
from platform_core.io_manager import HeadraceIOManager
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.runs import LocationOrigin, stream_run
from tests.platform_core.runs import instance

ORIGIN = LocationOrigin("t", "code_locations.t.definitions", "defs", Path("/somewhere/python"))
MONTHS = dg.StaticPartitionsDefinition(["jan", "feb", "mar"])


@fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def rows(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"month": list(context.partition_keys)})


@feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def same(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


@feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def broken(rows: pl.DataFrame) -> pl.DataFrame:
    raise RuntimeError("not today")


@dg.logger
def silent(_context: dg.InitLoggerContext) -> logging.Logger:
    return logging.Logger("silent", level=logging.CRITICAL)


def start(*assets: dg.AssetsDefinition, of: str = "jan") -> Iterator[dg.DagsterEvent]:
    definitions = dg.Definitions(
        assets=[rows, same, broken],
        resources={"io_manager": HeadraceIOManager()},
        executor=dg.in_process_executor,
        loggers={"console": silent},
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    return stream_run(job, instance(), [asset.key for asset in assets], partition_tags(of.split("..")), ORIGIN)


def stream(*assets: dg.AssetsDefinition, of: str = "jan") -> list[dg.DagsterEvent]:
    return list(start(*assets, of=of))


def newest_run() -> dg.DagsterRun:
    return next(iter(instance().get_runs(limit=1)))


def kinds(events: list[dg.DagsterEvent]) -> list[str]:
    wanted = ("STEP_START", "STEP_SUCCESS", "STEP_FAILURE", "RUN_SUCCESS", "RUN_FAILURE", "ASSET_MATERIALIZATION")
    return [event.event_type.name for event in events if event.event_type.name in wanted]


def test_a_run_tells_its_events_in_their_order() -> None:
    events = stream(rows, same)
    steps = ["STEP_START", "ASSET_MATERIALIZATION", "STEP_SUCCESS"]
    assert kinds(events) == [*steps, *steps, "RUN_SUCCESS"]


def test_events_are_told_while_the_run_goes_on() -> None:
    events = start(rows)
    next(events)
    assert newest_run().status == dg.DagsterRunStatus.STARTED
    list(events)
    assert newest_run().status == dg.DagsterRunStatus.SUCCESS


def test_only_what_was_selected_is_run() -> None:
    events = stream(rows)
    assert {event.step_key for event in events if event.is_step_start} == {"t__rows"}


def test_a_failed_step_is_an_event_and_not_an_exception() -> None:
    events = stream(rows, broken)
    assert kinds(events)[-2:] == ["STEP_FAILURE", "RUN_FAILURE"]


def test_a_range_of_partitions_is_one_run() -> None:
    events = stream(rows, of="jan..mar")
    run = newest_run()
    assert kinds(events).count("ASSET_MATERIALIZATION") == 3
    assert run.tags["dagster/asset_partition_range_start"] == "jan"
    assert run.tags["dagster/asset_partition_range_end"] == "mar"


def test_the_run_belongs_to_its_location_in_the_ui() -> None:
    stream(rows)
    run = newest_run()
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == "t"
    assert run.remote_job_origin.repository_origin.repository_name == "__repository__"


def test_the_data_version_of_the_content_is_the_one_dagster_knows() -> None:
    first, again = (stream(rows) for _ in range(2))
    told = [event for event in [*first, *again] if event.is_step_materialization]
    tags = [event.step_materialization_data.materialization.tags or {} for event in told]
    assert len(tags) == 2
    assert len({tag["dagster/data_version"] for tag in tags}) == 1
