"""The location as a whole: what it reads of others, who owns it, what guards it and where it runs."""

import dagster as dg

from code_locations.rotations.definitions import defs
from code_locations.rotations.imports import MODEL_MONTHS
from platform_core.compute.spec import Compute, compute_of
from platform_core.layers import LAYER_TAG

OWN = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] == "rotations"}


def test_every_asset_has_a_layer_an_owner_and_a_description() -> None:
    assert len(OWN) == 5
    for spec in OWN.values():
        assert spec.tags[LAYER_TAG] in ("fact", "feature", "model", "prediction"), spec.key
        assert spec.owners == ["team:fleet-planning"], spec.key
        assert spec.description, spec.key


def test_it_reads_the_flights_of_another_location() -> None:
    assert {dep.asset_key.to_user_string() for dep in OWN["legs"].deps} == {"flights/scheduled_flights"}
    assert OWN["rotation_model"].partitions_def == MODEL_MONTHS


def test_training_alone_needs_more_than_the_location_has() -> None:
    asked: dict[str, Compute] = {
        asset.key.path[-1]: compute_of(asset.op.tags)
        for asset in defs.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and asset.is_executable
    }
    assert {name for name, compute in asked.items() if compute.extras} == {"rotation_model"}
    assert asked["rotation_model"].extras == ("factors",)


def test_leaks_and_models_that_popularity_beats_are_held_back() -> None:
    blocking = {
        (check.asset_key.path[-1], check.name)
        for asset in defs.assets or ()
        for check in getattr(asset, "check_specs", ())
        if check.blocking
    }
    assert {("habits", "leakage"), ("habits", "skew")} <= blocking
    assert {("rotation_model", "gate"), ("rotation_model", "better_than_popularity")} <= blocking


def test_a_new_month_comes_by_itself() -> None:
    assert [schedule.name for schedule in defs.schedules or ()] == ["legs_schedule"]
