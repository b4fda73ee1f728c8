"""New files become runs, once; everything that starts by itself does so in production alone."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core import fact, feature
from platform_core.automation import (
    automation_sensor,
    deliveries,
    refresh,
    refresh_latest,
    schedule_status,
    sensor_status,
    source_file_sensor,
)
from platform_core.settings import Settings
from tests.platform_core.runs import instance, run

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2013-04", fmt="%Y-%m")
PATTERN = "flights/flights_{partition}.csv.gz"


@fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def flights(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"month": list(context.partition_keys)})


@pytest.fixture
def deliver(settings: Settings) -> Callable[..., Path]:
    """Writes a file of one month into the folder of sources."""
    folder = settings.sources / "flights"
    folder.mkdir(parents=True)

    def written(month: str, content: str = "x", name: str = "flights_{}.csv.gz") -> Path:
        path = folder / name.format(month)
        path.write_text(content)
        return path

    return written


Deliver = Callable[..., Path]


# Files


def test_a_file_that_fits_the_pattern_is_a_delivery_of_its_partition(deliver: Deliver, settings: Settings) -> None:
    path = deliver("2013-02", "three")
    os.utime(path, ns=(0, 1_500_000_000))
    (delivery,) = deliveries(settings.sources, PATTERN)
    assert delivery.partition == "2013-02"
    assert delivery.mark == "5-1500000000"
    assert delivery.written_at == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)


def test_deliveries_come_in_the_order_of_their_names(deliver: Deliver, settings: Settings) -> None:
    for month in ("2013-03", "2013-01", "2013-02"):
        deliver(month)
    assert [item.partition for item in deliveries(settings.sources, PATTERN)] == ["2013-01", "2013-02", "2013-03"]


@pytest.mark.parametrize(
    "name", [".flights_{}.csv.gz", "flights_{}.csv.gz.part", "weather_{}.csv.gz", "flights_.csv.gz"]
)
def test_other_files_and_those_still_being_written_are_no_delivery(
    name: str, deliver: Deliver, settings: Settings
) -> None:
    deliver("2013-01", name=name)
    assert list(deliveries(settings.sources, PATTERN)) == []


def test_a_hidden_file_is_no_delivery_whatever_the_pattern(deliver: Deliver, settings: Settings) -> None:
    deliver("2013-01", name=".{}.csv.gz")
    deliver("2013-02", name="{}.csv.gz")
    assert [item.partition for item in deliveries(settings.sources, "flights/{partition}.csv.gz")] == ["2013-02"]


def test_a_folder_that_is_not_there_holds_no_delivery(tmp_path: Path) -> None:
    assert list(deliveries(tmp_path / "nowhere", PATTERN)) == []


@pytest.mark.parametrize("change", [lambda path: path.write_text("other"), lambda path: os.utime(path, ns=(1, 1))])
def test_the_mark_changes_with_the_file(change: Callable[[Path], Any], deliver: Deliver, settings: Settings) -> None:
    path = deliver("2013-01")
    (before,) = deliveries(settings.sources, PATTERN)
    change(path)
    (after,) = deliveries(settings.sources, PATTERN)
    assert before.mark != after.mark


# The sensor


class Ticks:
    """The sensor, asked again and again with the cursor it left."""

    def __init__(self) -> None:
        self.sensor = source_file_sensor("new_flights", PATTERN, [flights], MONTHS)
        self.cursor: str | None = None

    def __call__(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=instance(), cursor=self.cursor)
        result: Any = self.sensor(context)
        self.cursor = result.cursor
        assert (result.skip_reason is None) == bool(result.run_requests)
        return list(result.run_requests or ())


@pytest.fixture
def tick() -> Ticks:
    return Ticks()


def test_each_new_file_is_one_run_of_its_partition(deliver: Deliver, tick: Ticks) -> None:
    deliver("2013-01")
    deliver("2013-03")
    assert [request.partition_key for request in tick()] == ["2013-01", "2013-03"]


def test_an_unchanged_file_is_no_second_run(deliver: Deliver, tick: Ticks) -> None:
    deliver("2013-01")
    tick()
    assert tick() == []
    deliver("2013-02")
    assert [request.partition_key for request in tick()] == ["2013-02"]


def test_a_file_that_is_delivered_anew_is_another_run(deliver: Deliver, tick: Ticks) -> None:
    deliver("2013-01", "one")
    (first,) = tick()
    deliver("2013-01", "another")
    (second,) = tick()
    assert first.partition_key == second.partition_key
    assert first.run_key != second.run_key


def test_a_tick_that_is_evaluated_twice_asks_for_the_same_run(deliver: Deliver) -> None:
    deliver("2013-01")
    (one,), (other,) = Ticks()(), Ticks()()
    assert one.run_key == other.run_key


def test_a_file_of_a_partition_that_does_not_exist_is_left_alone(deliver: Deliver, tick: Ticks) -> None:
    deliver("2099-01")
    assert tick() == []


def test_what_was_computed_since_the_file_was_written_is_left_alone(deliver: Deliver, tick: Ticks) -> None:
    os.utime(deliver("2013-01"), ns=(0, 0))
    os.utime(deliver("2013-02"), ns=(0, 0))
    run(flights, of="2013-01")
    assert [request.partition_key for request in tick()] == ["2013-02"]


def test_a_file_that_changed_after_it_was_computed_is_a_run(deliver: Deliver, tick: Ticks) -> None:
    path = deliver("2013-01")
    run(flights, of="2013-01")
    late = 2**32 * 10**9
    os.utime(path, ns=(late, late))
    assert [request.partition_key for request in tick()] == ["2013-01"]


def test_a_file_that_is_gone_and_comes_back_is_seen(deliver: Deliver, tick: Ticks) -> None:
    path = deliver("2013-01")
    tick()
    path.unlink()
    assert tick() == []
    os.utime(deliver("2013-01"), ns=(7, 7))
    assert len(tick()) == 1


def test_the_sensor_runs_the_assets_it_is_for() -> None:
    sensor = source_file_sensor("new_flights", PATTERN, [flights], MONTHS, interval_seconds=5)
    definitions = dg.Definitions(assets=[flights], sensors=[sensor])
    job = definitions.resolve_job_def("new_flights_job")
    assert job.asset_layer.selected_asset_keys == {flights.key}
    assert sensor.minimum_interval_seconds == 5


# Schedules


def at(moment: datetime) -> dg.ScheduleEvaluationContext:
    return dg.build_schedule_context(instance=instance(), scheduled_execution_time=moment)


@pytest.fixture
def monthly() -> Any:
    return refresh_latest("month", dg.AssetSelection.assets(flights), MONTHS, "0 6 1 * *")


def test_the_newest_partition_that_is_complete_is_computed(monthly: Any) -> None:
    assert [one.partition_key for one in monthly(at(datetime(2013, 3, 1, 6, tzinfo=UTC)))] == ["2013-02"]
    assert [one.partition_key for one in monthly(at(datetime(2013, 2, 28, 6, tzinfo=UTC)))] == ["2013-01"]


def test_a_tick_of_a_schedule_that_is_evaluated_twice_asks_for_the_same_run(monthly: Any) -> None:
    moments = [
        datetime(2013, 3, 1, 6, tzinfo=UTC),
        datetime(2013, 3, 1, 6, tzinfo=UTC),
        datetime(2013, 4, 1, 6, tzinfo=UTC),
    ]
    one, same, later = (monthly(at(moment))[0].run_key for moment in moments)
    assert one == same != later


def test_before_the_first_partition_is_complete_nothing_runs(monthly: Any) -> None:
    assert isinstance(monthly(at(datetime(2013, 1, 15, tzinfo=UTC))), dg.SkipReason)


def test_a_schedule_has_the_cron_and_the_zone_it_was_given() -> None:
    schedule = refresh("registries", dg.AssetSelection.all(), "0 5 * * *", timezone="America/New_York")
    assert (schedule.name, schedule.cron_schedule) == ("registries_schedule", "0 5 * * *")
    assert schedule.execution_timezone == "America/New_York"


# What is on by default


@pytest.mark.parametrize(
    ("namespace", "status"), [("production", "RUNNING"), ("user/tess", "STOPPED"), ("branch/new", "STOPPED")]
)
def test_what_starts_by_itself_does_so_in_production_alone(
    namespace: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", namespace)
    made: list[Any] = [
        automation_sensor("t"),
        refresh("a", dg.AssetSelection.all(), "0 5 * * *"),
        refresh_latest("b", dg.AssetSelection.assets(flights), MONTHS, "0 6 1 * *"),
        source_file_sensor("c", PATTERN, [flights], MONTHS),
    ]
    assert {item.default_status.name for item in made} == {status}
    assert schedule_status().name == sensor_status().name == status


@feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def features(flights: pl.DataFrame) -> pl.DataFrame:
    return flights


@pytest.mark.filterwarnings("ignore:Parameter `include_sources`")
def test_old_partitions_are_rebuilt_too_when_what_they_read_has_changed() -> None:
    definitions = dg.Definitions(assets=[flights, features])
    at_first = dg.evaluate_automation_conditions(definitions, instance())
    assert at_first.total_requested == 0
    run(flights, of="2013-01")
    then = dg.evaluate_automation_conditions(definitions, instance(), cursor=at_first.cursor)
    assert then.get_requested_partitions(features.key) == {"2013-01"}
    assert then.get_requested_partitions(flights.key) == set()
