"""What is known of each aircraft when a month begins."""

from datetime import timedelta

import dagster as dg
import polars as pl

from code_locations.rotations import joins, schemas
from code_locations.rotations.imports import MODEL_MONTHS, WITH_HALF_YEAR
from platform_core import EventTime, Known, feature

OF_HALF_YEAR = {"legs": dg.AssetIn(partition_mapping=WITH_HALF_YEAR)}
A_DAY_IS_KNOWN_WHEN_IT_IS_OVER = {"legs": Known("day", after=timedelta(days=1))}


@feature(schema=schemas.Fleet, partitions_def=MODEL_MONTHS, partition_by="month", ins=OF_HALF_YEAR)
def fleet(context: dg.AssetExecutionContext, legs: pl.DataFrame) -> pl.DataFrame:
    """The aircraft that something can be said of: those that were seen in the half year before."""
    return joins.fleet(legs, context.partition_keys)


@feature(
    schema=schemas.Habits,
    event_time=EventTime("as_of", A_DAY_IS_KNOWN_WHEN_IT_IS_OVER, labels=["new"], rows="fleet"),
    partitions_def=MODEL_MONTHS,
    partition_by="month",
    ins=OF_HALF_YEAR,
)
def habits(fleet: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Where each aircraft went in the half year before, and as a label where it went then that was new to it."""
    return joins.habits(fleet, legs)
