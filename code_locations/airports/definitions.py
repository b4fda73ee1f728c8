"""Wiring only: what this location is made of and when it runs."""

from code_locations.airports import imports, models, sql
from platform_core import build_location
from resources.by_deployment import shared_resources
from resources.compute import compute_table

defs = build_location(
    "airports",
    [sql, models, imports],
    resources=shared_resources(),
    compute=compute_table(),
    imports=["flights/scheduled_flights"],
)
