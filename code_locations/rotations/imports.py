"""What this location reads of others, as they promise it, and the months that it counts in."""

import dagster as dg

from platform_core.io_manager import PARTITION_BY
from platform_core.partitions import lookback

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-01", fmt="%Y-%m", end_date="2014-01")

# What an aircraft will do in a month is told from the half year before.
MODEL_MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-07", fmt="%Y-%m", end_date="2014-01")
WITH_HALF_YEAR = lookback(6)

scheduled_flights = dg.AssetSpec(
    ["flights", "scheduled_flights"], partitions_def=MONTHS, metadata={PARTITION_BY: "month"}
)
