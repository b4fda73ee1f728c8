"""A branch's Dagster instance knows what the branch reads from production, so that nobody takes it for missing."""

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

from platform_core.branches.read_through import PRODUCTION_TAG, tell_of_production
from platform_core.namespaces import PRODUCTION
from tests.platform_core.branches.conftest import NEW_ENGINE, World
from tests.platform_core.drafts import TESS

FACT, FEATURE, MODEL, OTHER = (dg.AssetKey(["t", name]) for name in ("fact", "feature", "model", "other"))


@pytest.fixture
def instance(empty_home: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(shutil.copytree(empty_home, tmp_path / "dagster"))) as it:
        yield it


def told(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[dg.AssetMaterialization]:
    """What an instance knows of an asset, newest first."""
    records = instance.fetch_materializations(key, limit=10).records
    return [record.asset_materialization for record in records if record.asset_materialization]


def test_each_version_that_is_read_through_is_told_once(world: World, instance: dg.DagsterInstance) -> None:
    world.open()
    shown = world.catalog.current(NEW_ENGINE)
    assert tell_of_production(instance, world.catalog, NEW_ENGINE) == len(shown) > 1
    assert tell_of_production(instance, world.catalog, NEW_ENGINE) == 0
    for item in shown:
        known = told(instance, dg.AssetKey.from_user_string(item.version.asset))
        (event,) = (event for event in known if (event.partition or "") == item.version.partition)
        assert event.metadata["headrace/version"].value == item.version.id
        assert event.tags is not None
        assert event.tags["dagster/data_version"] == item.version.data_version
        assert event.tags["dagster/code_version"] == item.version.provenance.code_version
        assert event.tags[PRODUCTION_TAG] == str(item.version.transaction)
        assert (
            event.description == f"Read from production, which shows it since transaction {item.version.transaction}."
        )


def test_after_a_synchronisation_what_changed_is_told_and_never_over_the_branchs_own(
    world: World, instance: dg.DagsterInstance
) -> None:
    world.open()
    world.compute(NEW_ENGINE, "t/feature", 20)
    tell_of_production(instance, world.catalog, NEW_ENGINE)
    assert told(instance, FEATURE) == []
    before = len(told(instance, MODEL))
    for asset in ("t/feature", "t/other"):
        world.compute(PRODUCTION, asset, 30)
    assert tell_of_production(instance, world.catalog, NEW_ENGINE) == 0
    world.catalog.sync_namespace(NEW_ENGINE)
    later = world.compute(PRODUCTION, "t/model", 31)
    assert tell_of_production(instance, world.catalog, NEW_ENGINE) == 1
    assert told(instance, FEATURE) == []
    assert len(told(instance, OTHER)) == 2
    assert len(told(instance, MODEL)) == before
    world.catalog.sync_namespace(NEW_ENGINE)
    assert tell_of_production(instance, world.catalog, NEW_ENGINE) == 1
    assert told(instance, MODEL)[0].metadata["headrace/version"].value == later.id


def test_a_namespace_that_is_no_branch_is_told_nothing(world: World, instance: dg.DagsterInstance) -> None:
    assert tell_of_production(instance, world.catalog, TESS) == 0
    world.compute(TESS, "t/feature", 1)
    assert tell_of_production(instance, world.catalog, TESS) == 0
    assert told(instance, MODEL) == []


def definitions(feature_code: str = "c1") -> dg.Definitions:
    """The assets of the world, which compute themselves when what they read did, or when their code changed."""
    always = dg.AutomationCondition.eager() | dg.AutomationCondition.code_version_changed()
    parts = dg.StaticPartitionsDefinition(["1", "2"])
    return dg.Definitions(
        [
            dg.AssetSpec(FACT, partitions_def=parts),
            _asset(FEATURE, FACT, feature_code, always),
            _asset(MODEL, FEATURE, "c1", always),
            _asset(OTHER, FACT, "c1", always),
        ]
    )


def _asset(
    key: dg.AssetKey, reads: dg.AssetKey, code: str, condition: dg.AutomationCondition[dg.AssetKey]
) -> dg.AssetsDefinition:
    @dg.asset(key=key, deps=[reads], code_version=code, automation_condition=condition)
    def computed() -> None: ...

    return computed


def requested(answer: dg.EvaluateAutomationConditionsResult) -> set[dg.AssetKey]:
    return {result.key for result in answer.results if not result.true_subset.is_empty}


def test_automation_takes_nothing_that_is_read_through_for_something_to_compute(
    world: World, instance: dg.DagsterInstance
) -> None:
    world.open()
    tell_of_production(instance, world.catalog, NEW_ENGINE)
    first = dg.evaluate_automation_conditions(definitions(), instance)
    second = dg.evaluate_automation_conditions(definitions(), instance, cursor=first.cursor)
    assert requested(first) == requested(second) == set()
    third = dg.evaluate_automation_conditions(definitions("c2"), instance, cursor=second.cursor)
    assert requested(third) == {FEATURE, MODEL}


def stale(definitions: dg.Definitions, instance: dg.DagsterInstance) -> set[dg.AssetKey]:
    """The assets that the UI marks because their code, or something they were computed from, differs."""
    module = import_module("dagster._core.definitions.data_version")
    loading = import_module("dagster._core.loader").LoadingContextForTest(instance)
    found = module.CachingStaleStatusResolver(instance, definitions.resolve_asset_graph(), loading)
    return {key for key in (FEATURE, MODEL, OTHER) if found.get_stale_causes(key)}


def test_the_ui_marks_as_stale_what_the_branch_changed_alone(world: World, instance: dg.DagsterInstance) -> None:
    world.open()
    tell_of_production(instance, world.catalog, NEW_ENGINE)
    assert stale(definitions(), instance) == set()
    assert stale(definitions("c2"), instance) == {FEATURE}
