"""A feature that reads the future, or needs its neighbours, is not published."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pandera.polars as pa
import polars as pl
import pyarrow
import pytest

from platform_core import fact, feature
from platform_core.checks.audits.leakage import as_kind
from platform_core.checks.point_in_time import point_in_time_join
from platform_core.checks.replay import EventTime, Known
from platform_core.store.tables import as_polars
from tests.platform_core.runs import run, sentence

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIME = EventTime("at", {"flights": Known("at", later={"delay": 48 * HOUR}), "weather": Known("known_at")}, ["late"])


class Features(pa.DataFrameModel):
    id: int = pa.Field(unique=True)


@fact(key_prefix="t")
def flights() -> pl.DataFrame:
    at = [NOON + number * HOUR for number in range(60)]
    return pl.DataFrame({"id": range(60), "at": at, "delay": [float(number % 9) for number in range(60)]})


@fact(key_prefix="t")
def weather() -> pl.DataFrame:
    return pl.DataFrame({"known_at": [NOON + n * HOUR for n in range(-5, 55)], "wind": [float(n) for n in range(60)]})


def declared(column: pl.Expr, annotation: Any = pl.LazyFrame, **arguments: Any) -> dg.AssetsDefinition:
    def features(flights: Any, weather: Any) -> pl.DataFrame:
        rows, known = as_polars(flights), as_polars(weather)
        joined = point_in_time_join(rows, known, on="at", known_at="known_at")
        return joined.with_columns(x=column, late=pl.col("delay") > 3).select("id", "at", "wind", "x", "late")

    features.__annotations__ |= {"flights": annotation, "weather": annotation}
    return feature(key_prefix="t", **{"schema": Features, "event_time": TIME, **arguments})(features)


@pytest.mark.parametrize("annotation", [pl.LazyFrame, pl.DataFrame, pyarrow.Table])
def test_an_honest_feature_is_published(annotation: Any) -> None:
    result = run(flights, weather, declared(pl.col("wind") * 2, annotation))
    assert result.success
    assert {"leakage", "skew"} <= {item.check_name for item in result.get_asset_check_evaluations()}


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pl.col("delay"), "x of t/features know what came later (row "),
        (pl.col("wind").shift(-1), "x of t/features know what came later (row "),
        (pl.col("wind").rank(), "x of t/features differ when a row is alone (row "),
    ],
    ids=["the delay", "the next row", "the rank"],
)
def test_a_feature_that_knows_too_much_is_refused(column: pl.Expr, told: str) -> None:
    result = run(flights, weather, declared(column))
    assert told in sentence(result)
    failed = [item for item in result.get_asset_check_evaluations() if not item.passed]
    assert all("| x |" in str(item.metadata["differences"].value) for item in failed)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"schema": None}, "t/features has no key to find rows again by"),
        ({"event_time": EventTime("when")}, "The feature has no column when"),
        ({"event_time": EventTime("at", {"flights": Known("since")})}, "The column since that says when"),
        ({"annotation": pyarrow.RecordBatchReader}, "reads flights as something that cannot be read twice"),
    ],
)
def test_what_a_replay_lacks_is_said(arguments: Any, told: str) -> None:
    assert told in sentence(run(flights, weather, declared(pl.col("wind"), **arguments)))


def test_a_function_that_reads_more_than_assets_cannot_be_replayed() -> None:
    @feature(key_prefix="t", schema=Features, event_time="at")
    def features(context: dg.AssetExecutionContext, flights: pl.DataFrame) -> pl.DataFrame:
        return flights.select("id", "at")

    assert "t/features takes context besides its inputs" in sentence(run(flights, features))


@pytest.mark.parametrize("kind", [pl.LazyFrame, pl.DataFrame, pyarrow.Table])
def test_a_frame_comes_in_the_annotated_type(kind: Any) -> None:
    value = as_kind(pl.DataFrame({"a": [1]}), kind)
    assert isinstance(value, kind)
    assert as_polars(value).height == 1
