"""The months of 2013, one partition each, as the files are delivered."""

import dagster as dg

from platform_core.partitions import lookback

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2014-01", fmt="%Y-%m")

# The first hours of a month need what happened in the last days of the month before.
WITH_MONTH_BEFORE = lookback(1)

# A model is trained on half a year and tested on the month after it.
MODEL_MONTHS = dg.MonthlyPartitionsDefinition(start_date="2013-07", end_date="2014-01", fmt="%Y-%m")
WITH_TRAINING_MONTHS = lookback(6)
