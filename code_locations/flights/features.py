"""What is known of a flight at the minute it is scheduled to depart."""

import dagster as dg
import polars as pl

from code_locations.flights import joins, schemas
from code_locations.flights.partitions import MONTHS, WITH_MONTH_BEFORE
from platform_core import feature


@feature(
    schema=schemas.DepartureFeatures,
    partitions_def=MONTHS,
    partition_by="month",
    ins={
        "weather": dg.AssetIn(partition_mapping=WITH_MONTH_BEFORE),
        "route_days": dg.AssetIn(partition_mapping=WITH_MONTH_BEFORE),
    },
)
def departure_features(
    flights_clean: pl.LazyFrame, weather: pl.LazyFrame, planes: pl.LazyFrame, route_days: pl.LazyFrame
) -> pl.LazyFrame:
    """Calendar, aircraft, weather and route history of each departure, as known at its scheduled minute."""
    return joins.departure_features(flights_clean, weather, planes, route_days)
