"""What this location reads of others, as they promise it."""

import dagster as dg

from platform_core.io_manager import PARTITION_BY

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-01", fmt="%Y-%m", end_date="2014-01")

# A table with a column for its partitions can be read over many of them at once, by one run.
scheduled_flights = dg.AssetSpec(
    ["flights", "scheduled_flights"], partitions_def=MONTHS, metadata={PARTITION_BY: "month"}
)
