"""Bad input to the location's assets: one clear sentence, a failed check or step, and the namespace as it was."""

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from code_locations.flights.deliver import deliver
from platform_core.catalog.opening import open_catalog
from platform_core.dbt.project import parsed_project
from platform_core.instance import prepare_dagster_home
from platform_core.runner.execute import run
from platform_core.runner.loading import LoadedLocation, load_location
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import Target, read_versions, write_version

MONTH = "2013-02"
Lines = list[str]


@dataclass
class Team:
    """A member of the team with source files and a namespace of her own."""

    location: LoadedLocation
    files: Path

    def materialise(self, asset: str) -> list[dict[str, Any]]:
        """Materialises one asset for the month and returns what the command line would be told."""
        told: list[dict[str, Any]] = []

        class Messages:
            def send(self, kind: str, **content: Any) -> None:
                told.append({"kind": kind, **content})

        run(self.location, asset, MONTH, Messages())
        return told

    def current(self) -> set[str]:
        settings = current_settings()
        return {shown.version.id for shown in open_catalog(settings.catalog).current(settings.writes_to)}

    def refusal(self, asset: str) -> str:
        """The sentence that a failing materialisation ends with, after which nothing may have changed."""
        before = self.current()
        told = self.materialise(asset)
        assert self.current() == before
        (failed,) = [message for message in told if message["kind"] == "step_failed"]
        return str(failed["sentence"])

    def write(self, asset: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Makes a changed copy of the current version current, past all checks."""
        settings, name = current_settings(), f"flights/{asset}"
        catalog, store = open_catalog(settings.catalog), open_store(settings.store)
        version = catalog.resolve(settings.writes_to, name)[MONTH].version
        rows = change(read_versions(store, [version], pl.DataFrame))
        catalog.commit(settings.writes_to, [write_version(store, rows, Target(settings.writes_to, name, MONTH))])

    def rewrite(self, name: str, change: Callable[[Lines], Lines]) -> Path:
        path = self.files / name
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        path.write_bytes(gzip.compress("\n".join(change(lines)).encode()))
        return path


@pytest.fixture(scope="module")
def location() -> LoadedLocation:
    return load_location("flights", "code_locations.flights.definitions")


@pytest.fixture(scope="module")
def begun(location: LoadedLocation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with what all tests begin with: delivered files, and dbt's parse of the project, which takes long."""
    home = tmp_path_factory.mktemp("begun")
    deliver(home / "sources", until="2013-03")
    shutil.copytree(parsed_project(), home / "dbt" / parsed_project().name)
    return home


@pytest.fixture
def team(location: LoadedLocation, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/eve")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    prepare_dagster_home(current_settings())
    return Team(location, tmp_path / "sources" / "flights")


def test_good_files_are_taken(team: Team) -> None:
    told = team.materialise("scheduled_flights or weather")
    assert [message["kind"] for message in told if message["kind"] in ("step_ended", "step_failed")] == [
        "step_ended"
    ] * 2
    assert len(team.current()) == 2


def test_a_half_written_file(team: Team) -> None:
    file = team.files / f"flights_{MONTH}.csv.gz"
    file.write_bytes(file.read_bytes()[:50_000])
    sentence = team.refusal("scheduled_flights")
    assert f"{file} cannot be read and is probably cut off" in sentence
    assert "delivered again" in sentence


def test_a_file_that_is_not_what_its_name_says(team: Team) -> None:
    file = team.files / f"weather_{MONTH}.csv.gz"
    file.write_bytes(b"<html>503 Service Unavailable</html>")
    assert str(file) in team.refusal("weather")


def test_a_missing_file(team: Team) -> None:
    file = team.files / f"flights_{MONTH}.csv.gz"
    file.unlink()
    assert f"{file} was not delivered" in team.refusal("scheduled_flights")


def test_a_column_that_changed_type(team: Team) -> None:
    def roman(lines: Lines) -> Lines:
        return [lines[0], lines[1].replace("2013", "MMXIII", 1), *lines[2:]]

    file = team.rewrite(f"flights_{MONTH}.csv.gz", roman)
    assert f"{file}: column year should hold Int64 but line 2 has 'MMXIII'" in team.refusal("scheduled_flights")


def test_a_renamed_column(team: Team) -> None:
    file = team.rewrite(f"weather_{MONTH}.csv.gz", lambda lines: [lines[0].replace("visib", "visibility"), *lines[1:]])
    assert f"{file} lacks the column visib. Did you mean visibility?" in team.refusal("weather")


def test_an_empty_month(team: Team) -> None:
    file = team.rewrite(f"flights_{MONTH}.csv.gz", lambda lines: lines[:1])
    assert f"{file} has a header but no rows" in team.refusal("scheduled_flights")


def test_rows_of_another_month(team: Team) -> None:
    march = team.files / "weather_2013-03.csv.gz"
    (team.files / f"weather_{MONTH}.csv.gz").write_bytes(march.read_bytes())
    assert "flights/weather was asked for 2013-02, but its column month also holds 2013-03" in team.refusal("weather")


def test_a_value_that_breaks_the_schema_fails_the_check(team: Team) -> None:
    team.rewrite(f"weather_{MONTH}.csv.gz", lambda lines: [lines[0], lines[1].replace("EWR", "Newark"), *lines[2:]])
    sentence = team.refusal("weather")
    assert "flights/weather was not published: column origin" in sentence
    assert "Newark" in sentence
    told = [message for message in team.materialise("weather") if message["kind"] == "checked"]
    (check,) = [message for message in told if not message["passed"]]
    assert (check["check"], check["severity"]) == ("origin__isin", "ERROR")


def test_an_input_that_was_never_computed(team: Team) -> None:
    sentence = team.refusal("departure_features")
    assert "has no version of 2013-02 in user/eve yet; run it first: headrace run flights/" in sentence


def test_a_failed_sql_test_holds_its_model_and_what_follows_back(team: Team) -> None:
    team.materialise("scheduled_flights")
    team.write("scheduled_flights", lambda rows: pl.concat([rows, rows.head(1)]))  # the same flight twice
    sentence = team.refusal("flights_clean or route_days")
    assert "unique_flights_clean_flight_id (models/flights/schema.yml): Got 1 result" in sentence
    assert "is kept for a look, and read by nobody" in sentence
    settings = current_settings()
    (kept,) = open_catalog(settings.catalog).unpublished(settings.writes_to, "flights/flights_clean")
    assert "its test unique_flights_clean_flight_id failed" in str(kept.rejected)


def test_a_missing_input_of_sql_names_what_to_run(team: Team) -> None:
    assert "run it first: headrace run flights/scheduled_flights" in team.refusal("flights_clean")


def test_nothing_is_on_by_default_outside_production(location: LoadedLocation) -> None:
    repository = location.definitions.get_repository_def()
    assert {s.default_status for s in repository.schedule_defs} == {dg.DefaultScheduleStatus.STOPPED}
    assert {s.default_status for s in repository.sensor_defs} == {dg.DefaultSensorStatus.STOPPED}
