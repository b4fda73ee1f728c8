"""The tables that the joins take: read from delivered files as the platform and the SQL models do, or made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from code_locations.flights import schemas
from code_locations.flights.joins import departure_features

MONTHS = ("2013-01", "2013-02", "2013-03")
MEASUREMENTS = ("dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


@dataclass(frozen=True)
class Tables:
    """The inputs of `departure_features`."""

    flights_clean: pl.DataFrame
    weather: pl.DataFrame
    planes: pl.DataFrame
    route_days: pl.DataFrame

    def features(self) -> pl.DataFrame:
        frames = (self.flights_clean, self.weather, self.planes, self.route_days)
        return departure_features(*(frame.lazy() for frame in frames)).collect()


def read_delivered(path: Path, types: schemas.Columns) -> pl.DataFrame:
    """A delivered file as text, cast to `types`; `NA` and empty cells are null."""
    text = pl.read_csv(path, infer_schema=False, null_values=["NA", ""])
    return text.select(_typed(name, dtype) for name, dtype in types.items())


def _typed(name: str, dtype: Any) -> pl.Expr:
    if dtype == schemas.UTC_TIME:
        return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
    return pl.col(name).cast(dtype)


def read_months(folder: Path, table: str, types: schemas.Columns, months: Iterable[str] = MONTHS) -> pl.DataFrame:
    frames = (read_delivered(folder / f"{table}_{month}.csv.gz", types) for month in months)
    return pl.concat(frames).with_columns(schemas.month_key())


def flights_clean(scheduled: pl.DataFrame) -> pl.DataFrame:
    """What the SQL model of that name makes of ScheduledFlights."""
    day = pl.format("{}-{}", "month", pl.col("day").cast(pl.String).str.zfill(2))
    clock = pl.col("sched_dep_time").cast(pl.String).str.zfill(4)
    return scheduled.select(
        pl.format("{}-{}-{}-{}-{}", day, "carrier", "flight", "origin", clock).alias("flight_id"),
        "month",
        day.str.to_date().alias("flight_date"),
        (pl.col("time_hour") + pl.duration(minutes="minute")).alias("scheduled_departure"),
        *("carrier", "flight", "tailnum", "origin", "dest", "distance"),
        pl.col("hour").alias("scheduled_hour"),
        pl.col("minute").alias("scheduled_minute"),
        pl.col("dep_time").is_null().alias("cancelled"),
        "arr_delay",
        (pl.col("arr_delay") > 15).alias("late"),
    )


def route_days(clean: pl.DataFrame) -> pl.DataFrame:
    """What the SQL model of that name makes of flights_clean."""
    days = clean.group_by("origin", "dest", "flight_date", "month").agg(
        departures=pl.len().cast(pl.Int64),
        late_share=pl.col("late").mean(),
        mean_arr_delay=pl.col("arr_delay").mean(),
        cancelled_share=pl.col("cancelled").mean(),
    )
    return days.sort("origin", "dest", "flight_date")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def departures(*minutes: str, **cells: Any) -> pl.DataFrame:
    """Departures from JFK to BOS at these UTC minutes, else as `cells` say."""
    rows = [
        {**_DEPARTURE, "flight_id": str(number), "scheduled_departure": utc(at)} for number, at in enumerate(minutes)
    ]
    return pl.DataFrame([row | cells for row in rows], schema=_DEPARTURE_TYPES)


def observations(*hours: str, **cells: Any) -> pl.DataFrame:
    """Weather at JFK in these UTC hours; the temperature is the number of the row."""
    schema: schemas.Columns = {"origin": pl.String, "time_hour": schemas.UTC_TIME, "temp": pl.Float64}
    rows = [{"origin": "JFK", "time_hour": utc(at), "temp": float(number)} for number, at in enumerate(hours)]
    filled = dict.fromkeys(MEASUREMENTS, 1.0) | cells
    return pl.DataFrame(rows, schema=schema).with_columns(pl.lit(value).alias(name) for name, value in filled.items())


def days_of_route(days: Mapping[str, float | None], **cells: Any) -> pl.DataFrame:
    """The route JFK to BOS: the share of late arrivals by local date, ten departures a day."""
    row = {"origin": "JFK", "dest": "BOS", "departures": 10, "mean_arr_delay": 5.0, "cancelled_share": 0.1}
    rows = [row | {"flight_date": date.fromisoformat(day), "late_share": share} | cells for day, share in days.items()]
    return pl.DataFrame(rows, schema=_ROUTE_DAY_TYPES)


def register(**years: int | None) -> pl.DataFrame:
    """Planes by registration with the year they were built, 100 seats and two engines each."""
    rows = [{"tailnum": name, "year": year, "seats": 100, "engines": 2} for name, year in years.items()]
    return pl.DataFrame(rows, schema={"tailnum": pl.String, "year": pl.Int64, "seats": pl.Int64, "engines": pl.Int64})


_DEPARTURE: dict[str, Any] = {
    "month": "2013-03",
    "flight_date": date(2013, 3, 20),
    "carrier": "B6",
    "tailnum": "N1",
    "origin": "JFK",
    "dest": "BOS",
    "distance": 187.0,
    "scheduled_hour": 10,
    "scheduled_minute": 30,
    "late": False,
}
_DEPARTURE_TYPES: schemas.Columns = {
    "flight_id": pl.String,
    "month": pl.String,
    "flight_date": pl.Date,
    "scheduled_departure": schemas.UTC_TIME,
    "carrier": pl.String,
    "tailnum": pl.String,
    "origin": pl.String,
    "dest": pl.String,
    "distance": pl.Float64,
    "scheduled_hour": pl.Int64,
    "scheduled_minute": pl.Int64,
    "late": pl.Boolean,
}
_ROUTE_DAY_TYPES: schemas.Columns = {
    "origin": pl.String,
    "dest": pl.String,
    "flight_date": pl.Date,
    "departures": pl.Int64,
    "late_share": pl.Float64,
    "mean_arr_delay": pl.Float64,
    "cancelled_share": pl.Float64,
}
