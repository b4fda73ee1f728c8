"""The schemas hold for the real data, and refuse what would harm."""

from __future__ import annotations

from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest
from pandera.errors import SchemaError

from code_locations.flights import schemas
from code_locations.flights.joins import OUTPUT
from code_locations.flights.tests import tables

MODELS = [
    schemas.ScheduledFlights,
    schemas.Weather,
    schemas.Planes,
    schemas.Airports,
    schemas.Airlines,
    schemas.DepartureFeatures,
    schemas.DelayPredictions,
]
REFERENCES = [
    ("planes", schemas.PLANES_CSV, schemas.Planes),
    ("airports", schemas.AIRPORTS_CSV, schemas.Airports),
    ("airlines", schemas.AIRLINES_CSV, schemas.Airlines),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_and_column_is_described(model: type[pa.DataFrameModel]):
    assert model.__doc__
    columns = model.to_schema().columns
    assert [name for name, column in columns.items() if not column.description] == []


def test_real_flights_hold(scheduled: pl.DataFrame):
    schemas.ScheduledFlights.validate(scheduled)


def test_real_weather_holds(weather: pl.DataFrame):
    schemas.Weather.validate(weather)


@pytest.mark.parametrize(
    ("name", "types", "model"), REFERENCES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_real_references_hold(delivered: Path, name: str, types: schemas.Columns, model: type[pa.DataFrameModel]):
    model.validate(tables.read_delivered(delivered / f"{name}.csv.gz", types))


def test_real_features_hold(features: pl.DataFrame):
    schemas.DepartureFeatures.validate(features)


def test_features_have_the_columns_and_types_that_the_join_declares(features: pl.DataFrame):
    assert dict(features.schema) == OUTPUT
    assert list(schemas.DepartureFeatures.to_schema().columns) == list(OUTPUT)


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        (lambda rows: rows.drop("dest"), "dest"),
        (lambda rows: rows.with_columns(gate=pl.lit("A1")), "gate"),
        (lambda rows: rows.with_columns(pl.col("distance").cast(pl.String)), "distance"),
        (lambda rows: rows.with_columns(pl.col("time_hour").dt.replace_time_zone(None)), "time_hour"),
        (lambda rows: rows.with_columns(origin=pl.lit("BOS")), "origin"),
        (lambda rows: rows.with_columns(month=pl.lit("2013-13")), "month"),
        (lambda rows: rows.with_columns(carrier=pl.lit(None, dtype=pl.String)), "carrier"),
        (lambda rows: pl.concat([rows, rows.head(1)]), "not unique"),
    ],
)
def test_changed_flights_are_refused_with_the_culprit(scheduled: pl.DataFrame, change, culprit: str):
    with pytest.raises(SchemaError, match=culprit):
        schemas.ScheduledFlights.validate(change(scheduled.head(50)))


@pytest.mark.parametrize("probability", [-0.1, 1.1, None, float("nan")])
def test_a_prediction_is_a_probability(features: pl.DataFrame, probability: float | None):
    keys = features.head(5).select("flight_id", "month", "flight_date", "carrier", "origin", "dest")
    schemas.DelayPredictions.validate(keys.with_columns(probability_late=0.5))
    with pytest.raises(SchemaError, match="probability_late"):
        schemas.DelayPredictions.validate(keys.with_columns(pl.lit(probability, pl.Float64).alias("probability_late")))


def test_the_month_key_is_that_of_the_rows():
    rows = pl.DataFrame({"year": [2013, 2013, 2014], "month": [1, 12, 1]})
    assert rows.with_columns(schemas.month_key())["month"].to_list() == ["2013-01", "2013-12", "2014-01"]
