"""Wiring only: what this location is made of and when it runs."""

from datetime import timedelta

import dagster as dg

from code_locations.flights import facts, features, models, sql
from code_locations.flights.partitions import MONTHS
from platform_core import build_location
from platform_core.automation import refresh, refresh_latest, source_file_sensor
from resources.by_deployment import shared_resources
from resources.compute import compute_table

defs = build_location(
    "flights",
    [facts, sql, features, models],
    resources=shared_resources(),
    compute=compute_table(),
    freshness={"fact": timedelta(days=35), "model": timedelta(days=40)},
    schedules=[
        refresh("registries", dg.AssetSelection.assets(facts.planes, facts.airports, facts.airlines), "0 5 * * *"),
        refresh_latest("month", dg.AssetSelection.assets(facts.scheduled_flights, facts.weather), MONTHS, "0 6 1 * *"),
    ],
    sensors=[
        source_file_sensor("new_flights_file", "flights/flights_{partition}.csv.gz", [facts.scheduled_flights], MONTHS),
        source_file_sensor("new_weather_file", "flights/weather_{partition}.csv.gz", [facts.weather], MONTHS),
    ],
)
