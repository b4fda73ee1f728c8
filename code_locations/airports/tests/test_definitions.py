"""The location as a whole: what it reads of others, who owns it, and how much of it is SQL."""

from code_locations.airports.definitions import defs
from code_locations.airports.imports import MONTHS
from platform_core.layers import LAYER_TAG
from platform_core.runner.loading import load_location
from platform_core.runner.plan import make_plan

OWN = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] == "airports"}


def test_every_asset_has_a_layer_an_owner_and_a_description() -> None:
    assert OWN
    for spec in OWN.values():
        assert spec.tags[LAYER_TAG] in ("fact", "feature", "model", "prediction"), spec.key
        assert spec.owners == ["team:airport-operations"], spec.key
        assert spec.description, spec.key


def test_facts_and_features_are_sql_and_python_forecasts() -> None:
    assert {name for name, spec in OWN.items() if "dbt" in spec.kinds} == {
        "departures", "delays_by_route", "delays_by_carrier", "delays_by_hour", "airport_days",
    }  # fmt: skip
    assert OWN.keys() - {name for name, spec in OWN.items() if "dbt" in spec.kinds} == {
        "departures_model", "departures_forecast",
    }  # fmt: skip


def test_it_reads_the_flights_of_another_location_month_by_month() -> None:
    assert {dep.asset_key.to_user_string() for dep in OWN["departures"].deps} == {"flights/scheduled_flights"}
    assert OWN["delays_by_route"].partitions_def == MONTHS
    assert OWN["airport_days"].partitions_def is None


def test_many_months_are_one_run() -> None:
    location = load_location("airports", "code_locations.airports.definitions")
    plan = make_plan(location, "departures or delays_by_route", "2013-01..2013-07", lambda _: ())
    assert [len(run.partitions) for run in plan.runs] == [7]
