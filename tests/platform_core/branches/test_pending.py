"""A branch computes what its code would make differently, once, and what reads that."""

from platform_core.branches.pending import descriptions_shown, pending
from platform_core.branches.plan import make_plan
from platform_core.namespaces import PRODUCTION
from tests.platform_core.branches.conftest import NEW_ENGINE, World
from tests.platform_core.branches.descriptions import described

ORDER = ("t/feature", "t/model")


def left(world: World, *order: str) -> dict[str, list[str]]:
    return pending(world.catalog, NEW_ENGINE, world.assets, order or ORDER)


def test_what_changed_is_pending_until_it_was_computed(world: World) -> None:
    world.open()
    world.edit("t/feature", code="c2")
    assert left(world) == {"t/feature": [""], "t/model": [""]}
    world.compute(NEW_ENGINE, "t/feature", "new")
    assert left(world) == {"t/model": [""]}
    world.compute(NEW_ENGINE, "t/model", "new")
    assert left(world) == {}


def test_another_edit_makes_it_pending_again(world: World) -> None:
    world.open()
    for asset in ORDER:
        world.compute(NEW_ENGINE, asset, "new")
    world.edit("t/feature", code="c3")
    assert left(world) == {"t/feature": [""], "t/model": [""]}


def test_what_reads_a_newer_version_is_pending(world: World) -> None:
    world.open()
    for asset in (*ORDER, "t/feature"):
        world.compute(NEW_ENGINE, asset, "new")
    assert left(world) == {"t/model": [""]}


def test_inputs_that_moved_with_the_pin_make_it_pending(world: World) -> None:
    world.open()
    for asset in ORDER:
        world.compute(NEW_ENGINE, asset, "new")
    world.compute(PRODUCTION, "t/fact", "later", "2")
    assert left(world) == {}
    world.catalog.sync_namespace(NEW_ENGINE)
    assert left(world) == {"t/feature": [""], "t/model": [""]}


def test_only_partitions_that_production_shows_are_computed(world: World) -> None:
    world.open()
    world.edit("t/fact", code="c2", keys=["1", "2", "3"])
    assert left(world, "t/fact") == {"t/fact": ["1", "2"]}
    world.compute(NEW_ENGINE, "t/fact", "new", "1")
    assert left(world, "t/fact") == {"t/fact": ["2"]}


def test_a_new_asset_has_the_partitions_of_what_it_reads(world: World) -> None:
    world.open()
    world.assets |= {"t/new": described(("t/fact",), keys=["1", "2", "3"]), "t/single": described(("t/fact",))}
    assert left(world, "t/new", "t/single") == {"t/new": ["1", "2"], "t/single": [""]}


def test_production_s_versions_tell_of_code_that_cannot_tell_itself(world: World) -> None:
    world.edit("t/feature", code="c2")
    world.assets |= {"t/new": world.assets["t/other"]}
    found = descriptions_shown(world.catalog, world.assets)
    plan = make_plan(found, world.assets)
    assert {change.asset: change.reasons for change in plan.changed} == {"t/feature": ("code",), "t/new": ("new",)}
    assert plan.affected == ("t/model",)
