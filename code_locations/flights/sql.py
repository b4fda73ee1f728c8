"""The location's dbt models: cleaned flights and the daily history of routes."""

from code_locations.flights.partitions import MONTHS
from platform_core.dbt.assets import dbt_models

flights_sql = dbt_models("flights", partitions_def=MONTHS)
