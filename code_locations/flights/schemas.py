"""What the tables of the location hold: column types of the delivered files, and the schemas that the assets promise.

The delivered files write missing values as `NA` (an empty cell counts as missing too) and `time_hour` as
`2013-01-01T10:00:00Z`, the same in flights and in weather. All other times are local clock times of the airport.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import pandera.polars as pa
import polars as pl
from polars.datatypes import DataType, DataTypeClass

Columns = dict[str, DataType | DataTypeClass]

UTC_TIME = pl.Datetime("us", "UTC")
UtcTime = Annotated[pl.Datetime, "us", "UTC"]  # the same, in the form that a pandera model reads
NEW_YORK_AIRPORTS = ("EWR", "JFK", "LGA")
MONTH_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"

FLIGHTS_CSV: Columns = {
    "year": pl.Int64,
    "month": pl.Int64,
    "day": pl.Int64,
    "dep_time": pl.Int64,
    "sched_dep_time": pl.Int64,
    "dep_delay": pl.Float64,
    "arr_time": pl.Int64,
    "sched_arr_time": pl.Int64,
    "arr_delay": pl.Float64,
    "carrier": pl.String,
    "flight": pl.Int64,
    "tailnum": pl.String,
    "origin": pl.String,
    "dest": pl.String,
    "air_time": pl.Float64,
    "distance": pl.Float64,
    "hour": pl.Int64,
    "minute": pl.Int64,
    "time_hour": UTC_TIME,
}
WEATHER_CSV: Columns = {
    "origin": pl.String,
    "year": pl.Int64,
    "month": pl.Int64,
    "day": pl.Int64,
    "hour": pl.Int64,
    "temp": pl.Float64,
    "dewp": pl.Float64,
    "humid": pl.Float64,
    "wind_dir": pl.Float64,
    "wind_speed": pl.Float64,
    "wind_gust": pl.Float64,
    "precip": pl.Float64,
    "pressure": pl.Float64,
    "visib": pl.Float64,
    "time_hour": UTC_TIME,
}
PLANES_CSV: Columns = {
    "tailnum": pl.String,
    "year": pl.Int64,
    "type": pl.String,
    "manufacturer": pl.String,
    "model": pl.String,
    "engines": pl.Int64,
    "seats": pl.Int64,
    "speed": pl.Float64,
    "engine": pl.String,
}
AIRPORTS_CSV: Columns = {
    "faa": pl.String,
    "name": pl.String,
    "lat": pl.Float64,
    "lon": pl.Float64,
    "alt": pl.Float64,
    "tz": pl.Float64,
    "dst": pl.String,
    "tzone": pl.String,
}
AIRLINES_CSV: Columns = {"carrier": pl.String, "name": pl.String}


def month_key() -> pl.Expr:
    """The partition key `YYYY-MM` of a delivered row, from its own `year` and `month`: it replaces the integer `month`.

    Taken from the rows, not from the file's name, so that a file that holds another month's rows shows it.
    """
    return pl.format("{}-{}", pl.col("year"), pl.col("month").cast(pl.String).str.zfill(2)).alias("month")


def _month() -> str:
    return pa.Field(str_matches=MONTH_PATTERN, description="Local calendar month, YYYY-MM: the partition.")


def _clock(description: str, nullable: bool = False) -> int:
    """A field that writes local clock time as the number hhmm; midnight may be 2400."""
    return pa.Field(ge=0, le=2400, nullable=nullable, description=description)


class _Strict(pa.DataFrameModel):
    """Exactly the declared columns with exactly the declared types: a new, lost or retyped column is an error."""

    class Config:
        strict = True
        coerce = False


class ScheduledFlights(_Strict):
    """Every scheduled departure out of New York, as delivered: one row each, the cancelled ones included."""

    year: int = pa.Field(ge=1987, description="Local calendar year of the scheduled departure.")
    month: str = _month()
    day: int = pa.Field(ge=1, le=31, description="Local day of the month.")
    dep_time: int = _clock("Actual departure, local time hhmm; missing when cancelled.", nullable=True)
    sched_dep_time: int = _clock("Scheduled departure, local time hhmm.")
    dep_delay: float = pa.Field(nullable=True, ge=-240, description="Departure delay in minutes; early is negative.")
    arr_time: int = _clock("Actual arrival, local time hhmm; missing when cancelled or diverted.", nullable=True)
    sched_arr_time: int = _clock("Scheduled arrival, local time hhmm.")
    arr_delay: float = pa.Field(nullable=True, ge=-240, description="Arrival delay in minutes; early is negative.")
    carrier: str = pa.Field(str_length=2, description="Two-letter code of the airline.")
    flight: int = pa.Field(ge=1, description="Flight number.")
    tailnum: str = pa.Field(nullable=True, description="Registration of the plane; missing for some cancelled flights.")
    origin: str = pa.Field(isin=NEW_YORK_AIRPORTS, description="Airport of departure (FAA code).")
    dest: str = pa.Field(str_length=3, description="Airport of destination (FAA code).")
    air_time: float = pa.Field(nullable=True, gt=0, description="Minutes in the air.")
    distance: float = pa.Field(gt=0, description="Miles between the airports.")
    hour: int = pa.Field(ge=0, le=23, description="Hour of the scheduled departure.")
    minute: int = pa.Field(ge=0, le=59, description="Minute of the scheduled departure.")
    time_hour: UtcTime = pa.Field(description="Hour of the scheduled departure as an instant (UTC), minutes cut off.")

    class Config(_Strict.Config):
        unique: ClassVar = ["year", "month", "day", "carrier", "flight", "origin", "sched_dep_time"]


class Weather(_Strict):
    """Weather observed at the three airports, about one row per airport and hour; hours are missing."""

    origin: str = pa.Field(isin=NEW_YORK_AIRPORTS, description="Airport of the station (FAA code).")
    year: int = pa.Field(ge=1987, description="Local calendar year.")
    month: str = _month()
    day: int = pa.Field(ge=1, le=31, description="Local day of the month.")
    hour: int = pa.Field(ge=0, le=23, description="Local hour of the observation.")
    temp: float = pa.Field(nullable=True, ge=-60, le=140, description="Temperature, °F.")
    dewp: float = pa.Field(nullable=True, ge=-80, le=110, description="Dew point, °F.")
    humid: float = pa.Field(nullable=True, ge=0, le=100, description="Relative humidity, percent.")
    wind_dir: float = pa.Field(nullable=True, ge=0, le=360, description="Direction of the wind, degrees.")
    wind_speed: float = pa.Field(nullable=True, ge=0, description="Wind speed, mph; one misreading of 1048 is known.")
    wind_gust: float = pa.Field(nullable=True, ge=0, description="Speed of gusts, mph; missing when there were none.")
    precip: float = pa.Field(nullable=True, ge=0, description="Precipitation, inches.")
    pressure: float = pa.Field(nullable=True, ge=850, le=1100, description="Pressure at sea level, millibar.")
    visib: float = pa.Field(nullable=True, ge=0, description="Visibility, miles; 10 is the most that is reported.")
    time_hour: UtcTime = pa.Field(
        description="Hour in which the observation was taken (UTC); its minute is not delivered."
    )

    class Config(_Strict.Config):
        unique: ClassVar = ["origin", "time_hour"]


class Planes(_Strict):
    """The register of planes, by registration. Planes of some carriers (American, Envoy) are mostly not in it."""

    tailnum: str = pa.Field(unique=True, description="Registration of the plane.")
    year: int = pa.Field(nullable=True, ge=1900, description="Year in which it was built.")
    type: str = pa.Field(description="Kind of aircraft.")
    manufacturer: str = pa.Field(description="Who built it.")
    model: str = pa.Field(description="Model.")
    engines: int = pa.Field(ge=1, le=8, description="Number of engines.")
    seats: int = pa.Field(ge=1, description="Number of seats.")
    speed: float = pa.Field(nullable=True, gt=0, description="Average cruising speed, mph; almost always missing.")
    engine: str = pa.Field(description="Kind of engine.")


class Airports(_Strict):
    """Airports by FAA code. Destinations in Puerto Rico and on the Virgin Islands are not among them."""

    faa: str = pa.Field(unique=True, str_length=3, description="FAA code.")
    name: str = pa.Field(description="Usual name.")
    lat: float = pa.Field(ge=-90, le=90, description="Latitude, degrees.")
    lon: float = pa.Field(ge=-180, le=180, description="Longitude, degrees.")
    alt: float = pa.Field(description="Altitude, feet.")
    tz: float = pa.Field(ge=-12, le=14, description="Hours from UTC without summer time.")
    dst: str = pa.Field(isin=["A", "U", "N"], description="Summer time: A as in the USA, U unknown, N none.")
    tzone: str = pa.Field(nullable=True, description="Time zone, IANA name.")


class Airlines(_Strict):
    """Airlines by two-letter code."""

    carrier: str = pa.Field(unique=True, str_length=2, description="Two-letter code.")
    name: str = pa.Field(description="Full name.")


class DepartureFeatures(_Strict):
    """What is known about a departure at its scheduled minute, one row each, with the label where there is one."""

    flight_id: str = pa.Field(unique=True, description="Date, carrier, flight, origin and scheduled minute.")
    month: str = _month()
    flight_date: pl.Date = pa.Field(description="Local date of the scheduled departure.")
    scheduled_departure: UtcTime = pa.Field(
        description="Scheduled minute of the departure (UTC): what comes later is unknown."
    )
    carrier: str = pa.Field(str_length=2, description="Two-letter code of the airline.")
    origin: str = pa.Field(isin=NEW_YORK_AIRPORTS, description="Airport of departure (FAA code).")
    dest: str = pa.Field(str_length=3, description="Airport of destination (FAA code).")
    distance: float = pa.Field(gt=0, description="Miles between the airports.")
    scheduled_hour: int = pa.Field(ge=0, le=23, description="Local hour of the scheduled departure.")
    scheduled_minute: int = pa.Field(ge=0, le=59, description="Minute of the scheduled departure.")
    day_of_week: int = pa.Field(ge=1, le=7, description="Local day of the week; Monday is 1.")
    month_of_year: int = pa.Field(ge=1, le=12, description="Local calendar month.")
    temp: float = pa.Field(nullable=True, description="Temperature, °F.")
    dewp: float = pa.Field(nullable=True, description="Dew point, °F.")
    humid: float = pa.Field(nullable=True, ge=0, le=100, description="Relative humidity, percent.")
    wind_dir: float = pa.Field(nullable=True, ge=0, le=360, description="Direction of the wind, degrees.")
    wind_speed: float = pa.Field(nullable=True, ge=0, le=200, description="Wind speed, mph; misreadings are missing.")
    wind_gust: float = pa.Field(nullable=True, ge=0, description="Speed of gusts, mph; missing when there were none.")
    precip: float = pa.Field(nullable=True, ge=0, description="Precipitation, inches.")
    pressure: float = pa.Field(nullable=True, ge=850, le=1100, description="Pressure at sea level, millibar.")
    visib: float = pa.Field(nullable=True, ge=0, description="Visibility, miles.")
    weather_age: int = pa.Field(
        nullable=True, ge=0, le=360, description="Minutes since the observation became known; 360 at most."
    )
    late_share_7d: float = pa.Field(
        nullable=True, ge=0, le=1, description="Share of late arrivals on the route, mean of the days -8 to -2."
    )
    mean_delay_7d: float = pa.Field(
        nullable=True, description="Arrival delay on the route in minutes, mean of the days -8 to -2."
    )
    cancelled_share_7d: float = pa.Field(
        nullable=True, ge=0, le=1, description="Share of cancelled departures on the route, mean of the days -8 to -2."
    )
    departures_7d: float = pa.Field(
        nullable=True, gt=0, description="Departures a day on the route, mean of the days -8 to -2 that have any."
    )
    plane_age: int = pa.Field(nullable=True, ge=0, description="Years since the plane was built.")
    seats: int = pa.Field(nullable=True, ge=1, description="Number of seats.")
    engines: int = pa.Field(nullable=True, ge=1, le=8, description="Number of engines.")
    late: bool = pa.Field(
        nullable=True, description="The label: arrived more than 15 minutes late; missing if cancelled or diverted."
    )


class DelayPredictions(_Strict):
    """How likely each departure of a month is to arrive more than 15 minutes late."""

    flight_id: str = pa.Field(unique=True, description="Date, carrier, flight, origin and scheduled minute.")
    month: str = _month()
    flight_date: pl.Date = pa.Field(description="Local date of the scheduled departure.")
    carrier: str = pa.Field(str_length=2, description="Two-letter code of the airline.")
    origin: str = pa.Field(isin=NEW_YORK_AIRPORTS, description="Airport of departure (FAA code).")
    dest: str = pa.Field(str_length=3, description="Airport of destination (FAA code).")
    probability_late: float = pa.Field(ge=0, le=1, description="Probability of arriving more than 15 minutes late.")


class AircraftMonths(_Strict):
    """One row for each aircraft and month in which it was scheduled to leave New York."""

    month: str = _month()
    tailnum: str = pa.Field(description="Tail number of the aircraft.")
    manufacturer: str = pa.Field(nullable=True, description="Who built it, by the registry.")
    seats: int = pa.Field(nullable=True, gt=0, description="Seats, by the registry.")
    departures: int = pa.Field(ge=1, description="Scheduled departures.")
    cancelled: int = pa.Field(ge=0, description="Those that never left.")
    miles: float = pa.Field(gt=0, description="Distance of the scheduled departures together.")
    mean_delay: float = pa.Field(nullable=True, ge=-240, description="Minutes that those that landed were late, mean.")

    class Config(_Strict.Config):
        unique: ClassVar = ["month", "tailnum"]
