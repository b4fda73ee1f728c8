"""What was written: the manuals that our libraries carry, one partition for each library."""

import dagster as dg
import polars as pl

from code_locations.manuals import reading, schemas
from platform_core import fact, volume

MANUALS = dg.StaticPartitionsDefinition(list(reading.LIBRARIES))


@fact(
    schema=schemas.Pages,
    checks=[volume()],
    partitions_def=MANUALS,
    partition_by="library",
    # A manual changes with the lock file; whoever deploys a new one has the pages within a week.
    automation_condition=dg.AutomationCondition.on_cron("0 4 * * 1"),
)
def pages(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """The docstrings of public functions and classes, as the installed release has them."""
    return pl.concat([reading.pages(library) for library in context.partition_keys])
