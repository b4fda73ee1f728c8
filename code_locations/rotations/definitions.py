"""Wiring only: what this location is made of and when it runs."""

from datetime import timedelta

import dagster as dg

from code_locations.rotations import facts, features, imports, models
from platform_core import build_location
from platform_core.automation import refresh_latest
from resources.by_deployment import shared_resources
from resources.compute import compute_table

defs = build_location(
    "rotations",
    [facts, features, models, imports],
    resources=shared_resources(),
    compute=compute_table(),
    imports=["flights/scheduled_flights"],
    freshness={"fact": timedelta(days=35), "model": timedelta(days=40)},
    schedules=[refresh_latest("legs", dg.AssetSelection.assets(facts.legs), imports.MONTHS, "0 8 1 * *")],
)
