"""What the tables that the location writes in Python hold; those in SQL are described in dbt_project."""

from __future__ import annotations

from typing import ClassVar

import pandera.polars as pa


class DeparturesForecast(pa.DataFrameModel):
    """One row for each airport and day to come."""

    origin: str = pa.Field(str_length=3, description="Airport of departure (FAA code).")
    date: str = pa.Field(str_matches=r"^\d{4}-\d{2}-\d{2}$", description="Local day.")
    departures: float = pa.Field(ge=0, description="Departures to expect.")
    late_share: float = pa.Field(ge=0, le=1, description="Share of them to expect 15 minutes late or later.")

    class Config:
        strict = True
        coerce = False
        unique: ClassVar = ["origin", "date"]
