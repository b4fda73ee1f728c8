"""From raw facts to predictions with one command, and from a namespace of one's own on top of production."""

import gzip
import json
import re
from pathlib import Path

from tests.end_to_end.conftest import REPOSITORY, Headrace

ASSETS = {
    "airlines", "airports", "planes", "scheduled_flights", "weather", "flights_clean", "route_days",
    "departure_features", "aircraft_months", "delay_model", "delay_predictions", "planes_quarantine",
}  # fmt: skip

OF_AIRPORTS = {
    "departures", "delays_by_route", "delays_by_carrier", "delays_by_hour", "airport_days", "departures_model",
    "departures_forecast",
}  # fmt: skip
OF_MANUALS = {"pages", "page_terms", "page_vectors", "page_map", "topics", "page_topics", "topic_words", "topic_report"}
OF_ROTATIONS = {"legs", "fleet", "habits", "rotation_model", "suggestions"}


def test_the_table_at_the_end_has_every_asset_with_version_rows_bytes_seconds_and_checks(production: Headrace) -> None:
    flights, *others = (production.home / "first_run.txt").read_text().split("\nasset ")[1:]
    assert flights.splitlines()[0].split() == ["version", "rows", "bytes", "seconds", "checks"]
    rows = rows_of(flights)
    assert set(rows) == ASSETS
    assert "7 partitions" in rows["departure_features"]
    assert re.search(r" (\d+)/\1\b", rows["departure_features"])
    assert [set(rows_of(table)) for table in others] == [OF_AIRPORTS, {"swept"}, OF_MANUALS, OF_ROTATIONS]


def rows_of(table: str) -> dict[str, str]:
    return {line.split()[0]: line for line in table.splitlines()[1:] if re.match("[a-z_]+ ", line)}


def test_every_delivered_flight_arrives_in_the_facts_and_the_features(production: Headrace) -> None:
    files = (production.home / "sources" / "flights").glob("flights_*.csv.gz")
    delivered = sum(len(gzip.decompress(file.read_bytes()).splitlines()) - 1 for file in files)
    for asset in ("scheduled_flights", "flights_clean", "departure_features"):
        versions = production.versions(asset)
        assert {version.partition for version in versions} == {f"2013-{month:02}" for month in range(1, 8)}
        assert sum(version.rows or 0 for version in versions) == delivered, asset


def test_the_model_is_better_than_chance_and_says_so(production: Headrace) -> None:
    (version,) = production.versions("delay_model")
    metrics = version.metadata
    assert 0.65 < metrics["roc_auc"] < 0.85  # above it, the future would have leaked in
    assert metrics["rows_test"] > 20_000
    assert version.format == "skops"


def test_predictions_know_the_model_and_the_features_they_come_from(production: Headrace) -> None:
    (prediction,) = production.versions("delay_predictions")
    (model,) = production.versions("delay_model")
    inputs = {item.name: item for item in prediction.provenance.inputs}
    assert inputs["delay_model"].version == model.id
    assert inputs["departure_features"].partition == "2013-07"
    assert {item.partition for item in model.provenance.inputs} == {f"2013-{month:02}" for month in range(1, 8)}


def test_sql_models_know_their_inputs_too(production: Headrace) -> None:
    clean = production.versions("flights_clean")[0]
    assert {item.asset for item in clean.provenance.inputs} == {"flights/scheduled_flights"}
    routes = production.versions("route_days")[0]
    assert {item.asset for item in routes.provenance.inputs} == {"flights/flights_clean"}


def test_what_the_warehouse_read_is_known_of_what_it_wrote(production: Headrace) -> None:
    version = production.versions("aircraft_months")[0]
    inputs = {(item.asset, item.partition) for item in version.provenance.inputs}
    assert {asset for asset, _ in inputs} == {"flights/flights_clean", "flights/planes"}
    assert ("flights/flights_clean", version.partition) in inputs


def test_a_user_computes_on_production_and_changes_nothing_of_it(production: Headrace) -> None:
    before = _production_files(production.home)
    ada = production.within("user/ada")
    done = ada("run", "delay_predictions", "--partition", "2013-07")
    assert done.returncode == 0, done.stdout
    assert _production_files(production.home) == before
    (own, inherited) = ada.versions("delay_predictions")
    assert (own.namespace, inherited.namespace) == ("user/ada", "production")
    assert {item.namespace for item in own.provenance.inputs} == {"production"}
    assert len(production.versions("delay_predictions")) == 1


def _production_files(home: Path) -> dict[str, tuple[int, int]]:
    files = [path for path in (home / "store" / "production").rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def test_without_a_partition_what_is_missing_is_computed_and_what_is_left_alone_is_said(production: Headrace) -> None:
    done = production.within("user/grace")("run", "weather")
    assert done.returncode == 1, done.stdout  # August was not delivered
    assert "weather: computing 2013-08..2013-12; the other 7 of 12 partitions are there already" in done.stdout
    assert "weather_2013-08.csv.gz was not delivered" in done.stdout


def test_real_months_raise_no_false_alarm(production: Headrace) -> None:
    """Seasons included: each month against all that production's model learned from."""
    done = production("validate", "departure_features", "--history", "--json")
    assert done.returncode == 0, done.stdout
    judged = json.loads(done.stdout)
    assert len(judged) == 7
    failed = [(item["version"], check) for item in judged for check in item["results"] if not check["passed"]]
    assert failed == []
    drift = [check["description"] for item in judged for check in item["results"] if check["check"] == "drift"]
    assert len(drift) == 7
    assert not any("Not judged" in told or "no reference" in told for told in drift)


def test_dbt_alone_builds_in_the_namespace_of_the_user(production: Headrace) -> None:
    done = production.within("user/edgar")("run", "route_days", "--partition", "2013-03")
    assert done.returncode == 0, done.stdout
    newest = production.within("user/edgar").versions("route_days")[0]
    assert (newest.namespace, newest.partition) == ("user/edgar", "2013-03")
    assert {item.namespace for item in newest.provenance.inputs} == {"production"}


def test_versions_and_show_speak_to_people_and_to_scripts(production: Headrace) -> None:
    (model,) = production.versions("delay_model")
    listed = json.loads(production("versions", "delay_model", "--json").stdout)
    assert [(item["id"], item["current"], item["shown_by"]) for item in listed] == [(model.id, True, "production")]
    shown = production("show", f"delay_model@{model.id.rpartition('-')[2]}").stdout
    for part in (model.label, "roc_auc", "departure_features", "written", "by"):
        assert part in shown
    head = production("show", "weather", "--partition", "2013-03", "--rows", "2").stdout
    assert "wind_speed" in head


def test_check_loads_every_location_and_works_from_any_folder(production: Headrace) -> None:
    done = production("check", cwd=REPOSITORY / "code_locations" / "flights" / "tests")
    assert done.returncode == 0, done.stdout
    assert re.search(r"✓ flights: 11 assets, \d+ checks, 2 schedules, \d sensors", done.stdout)
    assert "✓ airports: 7 assets" in done.stdout
