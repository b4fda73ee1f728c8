"""Two locations pin versions of a library that exclude each other, and run as one; extras make a third environment."""

from pathlib import Path

import pytest

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.environments.environment import environment_of
from platform_core.environments.lock import Lock
from platform_core.namespaces import PRODUCTION
from tests.end_to_end.conftest import REPOSITORY, Headrace

AIRPORTS = REPOSITORY / "code_locations" / "airports"


def locked(location: str) -> str:
    lock = Lock(REPOSITORY / "code_locations" / location / "uv.lock")
    return next(package.version for package in lock.packages if package.name == "pandas")


@pytest.fixture
def said(production: Headrace) -> str:
    """What the command said when both locations ran."""
    if not (AIRPORTS / ".venv/bin/python").is_file():
        pytest.skip("the environment of the location airports is not installed (make test installs it)")
    return (production.home / "first_run.txt").read_text()


def version(home: Path, asset: str) -> Version:
    found = open_catalog(f"sqlite:///{home}/catalog.db").resolve(PRODUCTION, asset)
    return next(iter(found.values())).version


def test_the_locations_could_not_share_an_environment() -> None:
    assert (locked("flights").split(".")[0], locked("airports").split(".")[0]) == ("3", "2")


def test_one_command_runs_both_each_in_its_own_environment(production: Headrace, said: str) -> None:
    assert "✓ flights/scheduled_flights" in said
    assert "✓ airports/airport_days" in said
    origins = {
        name: version(production.home, name).provenance
        for name in ("flights/scheduled_flights", "airports/airport_days")
    }
    assert origins["flights/scheduled_flights"].environment == environment_of("flights").hash
    assert origins["airports/airport_days"].environment == environment_of("airports").hash


def test_one_run_holds_steps_of_two_environments(production: Headrace, said: str) -> None:
    days, model = (
        version(production.home, f"airports/{name}").provenance for name in ("airport_days", "departures_model")
    )
    assert days.run_id == model.run_id
    assert model.environment == environment_of("airports", ("forecast",)).hash != days.environment
    assert "Made the environment airports+forecast" in said
    assert version(production.home, "airports/departures_model").format == "json"


def test_a_misspelt_asset_is_one_sentence_whichever_location_it_was_meant_for(production: Headrace) -> None:
    done = production("run", "airport_dyas")
    assert done.returncode == 2
    assert "Location airports has no asset 'airport_dyas'. Did you mean airport_days?" in done.stdout
