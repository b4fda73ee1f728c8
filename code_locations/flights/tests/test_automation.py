"""What is rebuilt by itself when facts arrive or change."""

import dagster as dg
import pytest

from code_locations.flights.definitions import defs

MONTH = "2013-01"


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["flights", name])


def _arrives(instance: dg.DagsterInstance, *names: str, partition: str | None = MONTH) -> None:
    for name in names:
        instance.report_runless_asset_event(dg.AssetMaterialization(_key(name), partition=partition))


def _requested(instance: dg.DagsterInstance, cursor: object = None) -> tuple[dict[str, set[str]], object]:
    """The partitions that a tick requests, by asset, and the cursor for the next tick."""
    result = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)  # type: ignore[arg-type]
    names = ("flights_clean", "route_days", "departure_features", "delay_model", "delay_predictions")
    found = {name: result.get_requested_partitions(_key(name)) for name in names}
    return {name: {str(key) for key in keys} for name, keys in found.items() if keys}, result.cursor


def test_nothing_is_built_only_because_it_is_missing_when_the_automation_is_switched_on(
    instance: dg.DagsterInstance,
) -> None:
    assert _requested(instance)[0] == {}


def test_a_month_of_flights_is_cleaned_as_soon_as_it_arrives(instance: dg.DagsterInstance) -> None:
    _, cursor = _requested(instance)
    _arrives(instance, "scheduled_flights")
    requested, _ = _requested(instance, cursor)
    assert requested["flights_clean"] == {MONTH}


def test_features_wait_for_all_they_read_and_follow_when_it_is_there(instance: dg.DagsterInstance) -> None:
    _, cursor = _requested(instance)
    _arrives(instance, "flights_clean", "route_days")
    requested, cursor = _requested(instance, cursor)
    assert "departure_features" not in requested
    _arrives(instance, "planes", partition=None)
    _arrives(instance, "weather")
    requested, _ = _requested(instance, cursor)
    assert requested["departure_features"] == {MONTH}


def test_a_model_is_trained_again_when_one_of_its_months_changes(instance: dg.DagsterInstance) -> None:
    for month in range(1, 9):
        _arrives(instance, "departure_features", partition=f"2013-{month:02}")
    _, cursor = _requested(instance)
    _arrives(instance, "departure_features", partition="2013-02")
    requested, _ = _requested(instance, cursor)
    assert requested["delay_model"] == {"2013-07", "2013-08"}
