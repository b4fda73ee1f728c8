"""Features of a departure from what is known at its scheduled minute, and from nothing later.

Everything here is a pure function on polars LazyFrames. The features of a departure depend on that row and on the rows
of weather, planes and route history that were known by then, so one month gives the same values as many at once.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from platform_core.checks.point_in_time import point_in_time_join

Columns = dict[str, DataType | DataTypeClass]

OBSERVED_WITHIN = timedelta(hours=1)  # an observation of hour h may be taken at any minute of it
OLDEST_WEATHER = timedelta(hours=6)
HISTORY_DAYS = range(2, 9)  # the seven days before yesterday, as days before the flight's date
STRONGEST_WIND = 200.0  # mph; the delivered data hold a reading of 1048

KEYS: Columns = {
    "flight_id": pl.String,
    "month": pl.String,
    "flight_date": pl.Date,
    "scheduled_departure": pl.Datetime("us", "UTC"),
    "carrier": pl.String,
    "origin": pl.String,
    "dest": pl.String,
}
WEATHER: Columns = {
    "temp": pl.Float64,
    "dewp": pl.Float64,
    "humid": pl.Float64,
    "wind_dir": pl.Float64,
    "wind_speed": pl.Float64,
    "wind_gust": pl.Float64,
    "precip": pl.Float64,
    "pressure": pl.Float64,
    "visib": pl.Float64,
    "weather_age": pl.Int64,
}
HISTORY_OF = {
    "late_share_7d": "late_share",
    "mean_delay_7d": "mean_arr_delay",
    "cancelled_share_7d": "cancelled_share",
    "departures_7d": "departures",
}
HISTORY: Columns = dict.fromkeys(HISTORY_OF, pl.Float64)
PLANE: Columns = {"plane_age": pl.Int64, "seats": pl.Int64, "engines": pl.Int64}
SCHEDULE: Columns = {
    "distance": pl.Float64,
    "scheduled_hour": pl.Int64,
    "scheduled_minute": pl.Int64,
    "day_of_week": pl.Int64,
    "month_of_year": pl.Int64,
}
LABEL = "late"
CATEGORICAL: tuple[str, ...] = ("carrier", "origin", "dest")
FEATURES: tuple[str, ...] = (*CATEGORICAL, *SCHEDULE, *WEATHER, *HISTORY, *PLANE)
OUTPUT: Columns = KEYS | SCHEDULE | WEATHER | HISTORY | PLANE | {LABEL: pl.Boolean}


def departure_features(
    flights_clean: pl.LazyFrame, weather: pl.LazyFrame, planes: pl.LazyFrame, route_days: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per row of `flights_clean`, in its order, with the columns and types of `OUTPUT`.

    flights_clean: flight_id, month, flight_date (local), scheduled_departure (UTC), carrier, tailnum, origin, dest,
        distance (miles), scheduled_hour, scheduled_minute (local), late (null when unknown).
    weather: origin, time_hour (UTC) and the measurements; the flights' months and the month before.
    planes: tailnum, year, seats, engines.
    route_days: origin, dest, flight_date, departures, late_share, mean_arr_delay, cancelled_share; the flights'
        months and the month before.
    What is not known (no weather of the last six hours, no history, a plane outside the register) is null.
    """
    rows = flights_clean.with_row_index("row")
    joined = (
        rows.pipe(_with_weather, weather).pipe(_with_history, route_days).pipe(_with_plane, planes).pipe(_with_calendar)
    )
    return joined.sort("row").select(pl.col(name).cast(dtype) for name, dtype in OUTPUT.items())


def _with_weather(rows: pl.LazyFrame, weather: pl.LazyFrame) -> pl.LazyFrame:
    """The latest observation at the airport that was known at the scheduled minute, if it is no older than six hours.

    Age counts from the moment from which an observation is known for certain: the end of its hour.
    """
    joined = point_in_time_join(
        rows,
        _known_weather(weather),
        on="scheduled_departure",
        known_at="known_at",
        by="origin",
        max_age=OLDEST_WEATHER,
    )
    age = pl.col("scheduled_departure") - pl.col("known_at")
    return joined.with_columns(weather_age=age.dt.total_minutes())


def _known_weather(weather: pl.LazyFrame) -> pl.LazyFrame:
    """The measurements by airport and the moment they are known; of several for one hour, the one delivered last."""
    measurements = [name for name in WEATHER if name != "weather_age"]
    plausible = pl.when(pl.col("wind_speed") <= STRONGEST_WIND).then(pl.col("wind_speed"))
    return (
        weather.unique(["origin", "time_hour"], keep="last", maintain_order=True)
        .with_columns(known_at=pl.col("time_hour") + OBSERVED_WITHIN, wind_speed=plausible)
        .select("origin", "known_at", *measurements)
    )


def _with_history(rows: pl.LazyFrame, route_days: pl.LazyFrame) -> pl.LazyFrame:
    """Means of the route's days -8 to -2, over those days that have a value; null when there is none.

    Yesterday is left out: a flight that left late yesterday evening may land after today's first departures, so its
    delay is not known yet. In the data the last arrival is 43 hours after the midnight that begins the flight's date,
    so the day before yesterday is complete.
    """
    ahead = pl.concat([route_days.with_columns(days=pl.lit(days)) for days in HISTORY_DAYS])
    # As lists in a fixed order: a grouped mean adds floats in whatever order the threads meet them.
    history = (
        ahead.with_columns(pl.col("flight_date") + pl.duration(days="days"))
        .group_by("origin", "dest", "flight_date")
        .agg(pl.col(source).sort_by("days").alias(name) for name, source in HISTORY_OF.items())
        .with_columns(pl.col(*HISTORY_OF).list.mean())
    )
    return rows.join(history, on=["origin", "dest", "flight_date"], how="left")


def _with_plane(rows: pl.LazyFrame, planes: pl.LazyFrame) -> pl.LazyFrame:
    """Age in years at the flight's date, seats and engines, by registration."""
    register = planes.unique("tailnum", keep="last", maintain_order=True).select(
        "tailnum", "seats", "engines", built=pl.col("year")
    )
    joined = rows.join(register, on="tailnum", how="left")
    return joined.with_columns(plane_age=pl.col("flight_date").dt.year() - pl.col("built"))


def _with_calendar(rows: pl.LazyFrame) -> pl.LazyFrame:
    date = pl.col("flight_date").dt
    return rows.with_columns(day_of_week=date.weekday(), month_of_year=date.month())
