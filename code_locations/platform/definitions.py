"""Wiring only: what this location is made of and when it runs."""

import dagster as dg

from code_locations.platform import facts
from platform_core import build_location
from platform_core.automation import refresh
from resources.by_deployment import shared_resources
from resources.compute import compute_table

defs = build_location(
    "platform",
    [facts],
    resources=shared_resources(),
    compute=compute_table(),
    schedules=[refresh("janitor", dg.AssetSelection.assets(facts.swept), "0 3 * * *")],
)
