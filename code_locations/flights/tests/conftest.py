"""The first months of the real data, delivered once for all tests of the location."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from code_locations.flights import schemas
from code_locations.flights.deliver import deliver
from code_locations.flights.tests import tables

# As many as the model's Compute gives it. Read when scikit-learn is imported, which the tests do later.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Threads that wait for each other by spinning take a busy machine's processors from whom they wait for.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the files of tables.MONTHS."""
    return deliver(tmp_path_factory.mktemp("sources"), until=tables.MONTHS[-1]).folder


@pytest.fixture(scope="session")
def scheduled(delivered: Path) -> pl.DataFrame:
    return tables.read_months(delivered, "flights", schemas.FLIGHTS_CSV)


@pytest.fixture(scope="session")
def weather(delivered: Path) -> pl.DataFrame:
    return tables.read_months(delivered, "weather", schemas.WEATHER_CSV)


@pytest.fixture(scope="session")
def winter(delivered: Path, scheduled: pl.DataFrame, weather: pl.DataFrame) -> tables.Tables:
    """The inputs of the features for tables.MONTHS."""
    clean = tables.flights_clean(scheduled)
    planes = tables.read_delivered(delivered / "planes.csv.gz", schemas.PLANES_CSV)
    return tables.Tables(clean, weather, planes, tables.route_days(clean))


@pytest.fixture(scope="session")
def features(winter: tables.Tables) -> pl.DataFrame:
    return winter.features()
