"""Wiring only: what this location is made of. It runs by the conditions of its assets, without a schedule."""

from code_locations.manuals import facts, features, models
from platform_core import build_location
from resources.by_deployment import shared_resources
from resources.compute import compute_table

defs = build_location(
    "manuals",
    [facts, features, models],
    resources=shared_resources(),
    compute=compute_table(),
)
