"""Every fault that the checks promise to catch, planted once; and a year of honest data, in which nothing is wrong."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import dagster as dg
import numpy as np
import pandera.polars as pa
import polars as pl
import pytest

from platform_core import EventTime, Known, drift, fact, feature, gate, model, volume
from platform_core.alerts.sensor import alert_sensor
from platform_core.auditing.links import linked_to_models
from platform_core.catalog.catalog import Catalog
from platform_core.namespaces import PRODUCTION
from tests.platform_core.instances import new_instance
from tests.platform_core.played_daemon import beat_daemon, note_tick
from tests.platform_core.runs import run

MONTHS = dg.MonthlyPartitionsDefinition("2025-01", fmt="%Y-%m", end_date="2026-03")
YEAR, NEW = [f"2025-{month:02}" for month in range(1, 13)], "2026-01"
DAY = timedelta(days=1)
Change = Callable[[pl.DataFrame], pl.DataFrame]


class Flights(pa.DataFrameModel):
    id: str = pa.Field(unique=True)
    month: str
    at: Annotated[pl.Datetime, "us", "UTC"]
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"])
    distance: float = pa.Field(gt=0, le=6000)
    arr_delay: float = pa.Field(nullable=True)


class Features(pa.DataFrameModel):
    id: str = pa.Field(unique=True)


def month_of(key: str) -> pl.DataFrame:
    """About 900 flights of a month, a few percent more or less."""
    seed = int(key.replace("-", ""))
    random = np.random.default_rng(seed)
    rows = round(900 * math.exp(random.normal(0, 0.03)))
    first = datetime.fromisoformat(f"{key}-01").replace(tzinfo=UTC)
    minutes = np.sort(random.integers(0, 28 * 24 * 60, rows))
    distance = random.uniform(200, 2500, rows)
    return pl.DataFrame(
        {
            "id": [f"{key}-{number}" for number in range(rows)],
            "month": key,
            "at": pl.Series([first + timedelta(minutes=int(m)) for m in minutes], dtype=pl.Datetime("us", "UTC")),
            "origin": random.choice(["EWR", "JFK", "LGA"], rows),
            "distance": distance,
            "arr_delay": distance / 100 + random.normal(0, 5, rows),
        }
    )


def scores(weights: dict[str, float], rows: pl.DataFrame, partition: str) -> pl.DataFrame:
    newest = rows.filter(pl.col("month") == rows["month"].max())
    return newest.select("origin", truth="delay", score=pl.col("origin").replace_strict(weights) * pl.col("distance"))


GOOD = {"EWR": 0.01, "JFK": 0.01, "LGA": 0.01}
KNOWN = {"flights": Known("at", later={"arr_delay": 2 * DAY})}


def location(change: Change = lambda frame: frame, weights: dict[str, float] = GOOD, leaks: bool = False) -> list[Any]:
    """Flights that are delivered by month, what is known of them, and a model of their delay."""

    @fact(
        key_prefix="t", schema=Flights, checks=[volume()], partitions_def=MONTHS, partition_by="month",
        freshness_policy=dg.FreshnessPolicy.time_window(40 * DAY), owners=["team:x"],
    )  # fmt: skip
    def flights(context: dg.AssetExecutionContext) -> pl.DataFrame:
        frame = pl.concat([month_of(key) for key in context.partition_keys])
        return change(frame) if context.partition_keys[0] == NEW else frame

    @feature(
        key_prefix="t", schema=Features, event_time=EventTime("at", KNOWN, labels=["delay"]),
        checks=[drift("distance", "origin")], partitions_def=MONTHS, partition_by="month",
    )  # fmt: skip
    def features(flights: pl.DataFrame) -> pl.DataFrame:
        rows = flights.rename({"arr_delay": "delay"})
        return rows.with_columns(hint=pl.col("delay") / 2) if leaks else rows

    @model(
        key_prefix="t", checks=[gate("features", scores, loss="squared_error", segments=["origin"])],
        ins={"features": dg.AssetIn(partition_mapping=dg.AllPartitionMapping())},
    )  # fmt: skip
    def trained(features: pl.DataFrame) -> dict[str, float]:
        return weights

    return linked_to_models([flights, features, trained])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with new_instance(tmp_path / "instance") as made:
        yield made


@pytest.fixture
def honest(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> list[dg.AssetCheckEvaluation]:
    """A year in production, month by month, and a model that is trained on it: what all checks said."""
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    found: list[dg.AssetCheckEvaluation] = []
    flights, features, trained = location()
    for key in YEAR:
        found += _checks(run(flights, features, of=key, on=instance))
    found += _checks(run(flights, features, trained, only=trained, on=instance))
    return found


def _checks(result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    assert result.success
    return list(result.get_asset_check_evaluations())


@dataclass(frozen=True)
class Fault:
    """What is planted into the new month, and the check of an asset that must not pass."""

    name: str
    asset: str
    check: str
    change: Change = lambda frame: frame
    weights: tuple[float, float, float] = (0.01, 0.01, 0.01)
    leaks: bool = False


def without_some_origins(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(origin=pl.when(pl.col("distance") > 900).then("origin"))


FAULTS = [
    Fault("a column renamed", "flights", "schema", lambda f: f.rename({"distance": "miles"})),
    Fault("a type changed", "flights", "schema", lambda f: f.with_columns(pl.col("distance").cast(pl.String))),
    Fault("nulls", "flights", "schema", without_some_origins),
    Fault("duplicates", "flights", "id__unique", lambda f: pl.concat([f, f.head(3)])),
    Fault(
        "out of range", "flights", "distance__less_than_or_equal_to",
        lambda f: f.with_columns(distance=pl.col("distance") * 4),
    ),
    Fault("late data", "flights", "volume", lambda f: f.head(f.height // 3)),
    Fault("a doubled load", "flights", "volume", lambda f: pl.concat([f, f.with_columns(pl.col("id") + "x")])),
    Fault("a shifted distribution", "features", "drift", lambda f: f.with_columns(distance=pl.col("distance") + 1500)),
    Fault("a feature reading the arrival delay", "features", "leakage", leaks=True),
    Fault("a model worse on one segment", "trained", "gate", weights=(0.01, 0.01, 0.014)),
]  # fmt: skip


def planted(fault: Fault, on: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    weights = dict(zip(GOOD, fault.weights, strict=True))
    flights, features, trained = location(fault.change, weights, fault.leaks)
    assets = {"flights": flights, "features": features, "trained": trained}
    if fault.asset == "trained":
        return run(*assets.values(), only=trained, on=on)
    if fault.asset == "features":
        assert run(flights, features, only=flights, of=NEW, on=on).success
    return run(flights, features, only=assets[fault.asset], of=NEW, on=on)


def shown(catalog: Catalog, asset: str) -> set[str]:
    return {item.version.id for item in catalog.resolve(PRODUCTION, f"t/{asset}").values()}


def missed(fault: Fault, catalog: Catalog, on: dg.DagsterInstance) -> str | None:
    """What went wrong: the check did not fail, or what it refused was published or thrown away."""
    before, kept = shown(catalog, fault.asset), len(catalog.unpublished(PRODUCTION, f"t/{fault.asset}"))
    result = planted(fault, on)
    failed = {item.check_name for item in result.get_asset_check_evaluations() if not item.passed}
    if fault.check not in failed:
        return f"{fault.name}: {sorted(failed)} failed"
    if fault.check == "drift":  # which warns
        return None if result.success else f"{fault.name} blocked"
    if result.success or shown(catalog, fault.asset) != before:
        return f"{fault.name} was published"
    rejected = len(catalog.unpublished(PRODUCTION, f"t/{fault.asset}")) - kept
    return None if rejected == 1 else f"{fault.name}: {rejected} versions were kept"


def test_a_year_of_honest_months_raises_no_alarm_and_every_planted_fault_is_caught(
    honest: list[dg.AssetCheckEvaluation], instance: dg.DagsterInstance, catalog: Catalog
) -> None:
    """Of volume and drift one alarm in 200 is allowed: none is expected in twelve months. All others allow none."""
    assert [(item.check_name, item.description) for item in honest if not item.passed] == []
    assert {item.check_name for item in honest} >= {"schema", "volume", "leakage", "skew", "drift", "gate"}
    assert [told for fault in FAULTS if (told := missed(fault, catalog, instance))] == []


# What no check of a value can find, because nothing comes at all: the alert sensor tells it.


@dataclass
class Post:
    """Takes the messages of a sensor."""

    told: list[tuple[str, str]] = field(default_factory=list)
    beats: int = 0

    def tell(self, owner: str, title: str, body: str) -> None:
        self.told.append((owner, f"{title} {body}"))

    def beat(self) -> None:
        self.beats += 1


@dataclass(frozen=True)
class Silence:
    """What stops, who is told after how long, and what the message says."""

    name: str
    owner: str
    says: tuple[str, ...]
    after: timedelta = timedelta(0)
    stop: Callable[[dg.DagsterInstance], None] = lambda _: None


SILENCES = [
    Silence("a stale upstream", "team:x", ("t/flights", "is stale", "blocked downstream: t/features"), 41 * DAY),
    Silence(
        "a dead sensor", "team:x", ("t_files", "could not be evaluated: no such folder"),
        stop=lambda instance: note_tick(instance, "t_files", FileNotFoundError("no such folder")),
    ),
    Silence(
        "a dead daemon", "platform", ("daemon SENSOR", "has not been heard of since"),
        stop=lambda instance: beat_daemon(instance, "SENSOR", time.time() - 3600),
    ),
]  # fmt: skip


@dg.sensor(name="t_files", target="t/flights")
def files() -> None: ...


def look(instance: dg.DagsterInstance, post: Post) -> None:
    """One look of the alert sensor of the location."""
    sensor = alert_sensor("t")
    definitions = dg.Definitions(assets=location(), sensors=[sensor, files], resources={"notifier": post})
    repository = definitions.get_repository_def()
    with dg.build_sensor_context(instance, repository_def=repository, resources={"notifier": post}) as context:
        sensor(context)


@pytest.mark.parametrize("silence", SILENCES, ids=lambda item: item.name)
def test_what_stops_is_told_to_its_owner(
    silence: Silence, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Clock":
            return cls.fromtimestamp(time.time() + silence.after.total_seconds(), tz)

    monkeypatch.setattr("platform_core.alerts.sensor.all_locations", lambda: [SimpleNamespace(name="t")])
    flights, *_ = location()
    assert run(flights, of=YEAR[0], on=instance).success
    note_tick(instance, "t_files")
    beat_daemon(instance, "SENSOR", time.time() + silence.after.total_seconds())
    look(instance, well := Post())
    assert (well.told, well.beats) == ([], 1)

    silence.stop(instance)
    monkeypatch.setattr("platform_core.alerts.sensor.datetime", Clock)
    look(instance, post := Post())
    ((owner, message),) = post.told
    assert owner == silence.owner
    assert [part for part in silence.says if part not in message] == []


def test_nothing_that_was_promised_is_left_out() -> None:
    assert {fault.name for fault in FAULTS} | {silence.name for silence in SILENCES} >= {
        "a column renamed",
        "a type changed",
        "nulls",
        "duplicates",
        "out of range",
        "late data",
        "a doubled load",
        "a shifted distribution",
        "a feature reading the arrival delay",
        "a model worse on one segment",
        "a stale upstream",
        "a dead sensor",
    }
