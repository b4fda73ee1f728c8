"""What the team writes in SQL: delays by route, carrier and hour of each month, and the series of days over all."""

from code_locations.airports.imports import MONTHS
from platform_core.dbt.assets import dbt_models

by_month = dbt_models("airports", MONTHS, select="tag:monthly")
series = dbt_models("airports", select="tag:series")
