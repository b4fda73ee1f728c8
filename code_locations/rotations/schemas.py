"""What the tables of the location hold."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pandera.polars as pa
import polars as pl

MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
Destinations = Annotated[pl.List, pl.String]
Counts = Annotated[pl.List, pl.Int64]
Moment = Annotated[pl.Datetime, "us", None]


class Legs(pa.DataFrameModel):
    """One row for each aircraft, destination and day."""

    month: str = pa.Field(str_matches=MONTH)
    day: pl.Date = pa.Field(description="Local day of departure.")
    tailnum: str = pa.Field(description="The aircraft.")
    carrier: str
    dest: str = pa.Field(str_length=3, description="Airport of arrival (FAA code).")
    departures: int = pa.Field(gt=0, description="How often it left for there; cancelled flights do not count.")

    class Config:
        strict = True
        coerce = False
        unique: ClassVar = ["day", "tailnum", "carrier", "dest"]


class Fleet(pa.DataFrameModel):
    """One row for each month and aircraft that was seen in the half year before."""

    month: str = pa.Field(str_matches=MONTH)
    as_of: Moment = pa.Field(description="The beginning of the month: nothing later is known.")
    since: Moment = pa.Field(description="What was before is not counted.")
    tailnum: str

    class Config:
        strict = True
        coerce = False
        unique: ClassVar = ["month", "tailnum"]


class Habits(pa.DataFrameModel):
    """One row for each month and aircraft: where it went in the half year before."""

    month: str = pa.Field(str_matches=MONTH)
    as_of: Moment
    tailnum: str
    carrier: str = pa.Field(description="For whom it flew last.")
    dests: Destinations = pa.Field(description="Where it went.")
    departures: Counts = pa.Field(description="How often, one number for each of them.")
    new: Destinations = pa.Field(description="Where it went in the month and not before: what a model is to find.")

    class Config:
        strict = True
        coerce = False
        unique: ClassVar = ["month", "tailnum"]


class Suggestions(pa.DataFrameModel):
    """A few rows for each month and aircraft."""

    month: str = pa.Field(str_matches=MONTH)
    tailnum: str
    rank: int = pa.Field(ge=1, description="1 is the likeliest.")
    dest: str = pa.Field(str_length=3, description="Where it has not been in the half year before.")
    score: float = pa.Field(description="Near 1 where the aircraft might as well have been there; no probability.")

    class Config:
        strict = True
        coerce = False
        unique: ClassVar = ["month", "tailnum", "rank"]
