"""What was flown: the flights of another location, counted by aircraft, destination and day."""

import dagster as dg
import polars as pl

from code_locations.rotations import joins, schemas
from code_locations.rotations.imports import MONTHS
from platform_core import fact, volume


@fact(
    schema=schemas.Legs,
    checks=[volume()],
    partitions_def=MONTHS,
    partition_by="month",
    ins={"scheduled_flights": dg.AssetIn(["flights", "scheduled_flights"])},
)
def legs(scheduled_flights: pl.LazyFrame) -> pl.LazyFrame:
    """How often each aircraft left New York for each destination, day by day."""
    return joins.legs(scheduled_flights)
