"""The janitor removes what nobody wants any more, and nothing else, however often it is interrupted."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platform_core.branches.janitor import GRACE, Swept, sweep
from platform_core.catalog.branch_values import Branch
from platform_core.cluster.kubectl import ClusterError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.end_to_end.small_repository import git
from tests.platform_core.branches.conftest import World

OVER = datetime.now(UTC) - timedelta(hours=1)
LONG_AGO = (datetime.now(UTC) - GRACE - timedelta(hours=1)).timestamp()


def opened(world: World, name: str, until: datetime | None, checkout: Path | None = None) -> Namespace:
    """A branch with something of its own, and a Dagster home."""
    namespace = Namespace("branch", name)
    world.catalog.open_branch(Branch(str(namespace), name, "c0ffee", str(checkout or world.settings.repository), until))
    world.compute(namespace, "t/model", {"of": name})
    (world.settings.home / "dagster" / namespace.slug).mkdir(parents=True)
    return namespace


def go(world: World, dry_run: bool = False) -> Swept:
    return sweep(world.catalog, world.store, world.settings, dry_run=dry_run)


def names(world: World) -> set[str]:
    return {branch.git_branch for branch, _ in world.catalog.branches()}


def test_branches_whose_time_is_over_are_closed_and_pinned_ones_are_not(world: World) -> None:
    for name, until in (("over", OVER), ("going", OVER + timedelta(days=9)), ("pinned", None)):
        opened(world, name, until)
    assert go(world, dry_run=True).branches == ("branch/over",)
    assert names(world) == {"over", "going", "pinned"}
    assert go(world).branches == ("branch/over",)
    assert names(world) == {"going", "pinned"}
    assert not (world.settings.home / "dagster" / "branch-over").exists()
    assert world.value(Namespace("branch", "going"), "t/model") == {"of": "going"}
    assert go(world) == Swept()


def test_one_that_cannot_be_closed_keeps_none_of_the_others(world: World) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    code = world.settings.home / "branches" / "branch-edited" / "code"
    code.mkdir(parents=True)
    git(code, "init", "--quiet")
    (code / "edited").touch()
    opened(world, "edited", OVER, code)
    opened(world, "over", OVER)
    swept = go(world)
    assert swept.branches == ("branch/over",)
    assert len(swept.kept) == 1
    assert "holds edits that no commit has" in swept.kept[0]
    assert (code / "edited").exists()


@pytest.mark.parametrize("place", ["branches/branch-lost", "dagster/branch-lost", "checkouts/0123456789ab-0f1e2d3c"])
def test_folders_of_branches_that_are_not_there_are_removed_after_their_grace(world: World, place: str) -> None:
    opened(world, "lost", OVER)
    go(world)
    folder = world.settings.home / place
    (folder / "inside").mkdir(parents=True)
    assert go(world).orphans == ()
    os.utime(folder, (LONG_AGO, LONG_AGO))
    assert go(world).orphans == (folder,)
    assert not folder.exists()


@pytest.mark.parametrize(
    "place", ["dagster/production", "dagster/user-ann", "dagster/branch-open", "branches/fingerprints"]
)
def test_folders_of_others_stay(world: World, place: str) -> None:
    opened(world, "open", None)
    folder = world.settings.home / place
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder, (LONG_AGO, LONG_AGO))
    assert go(world).orphans == ()
    assert folder.exists()


def test_production_is_as_it_was(world: World) -> None:
    opened(world, "over", OVER)
    before = set(world.catalog.own_refs(PRODUCTION))
    go(world)
    assert set(world.catalog.own_refs(PRODUCTION)) == before
    assert world.value(PRODUCTION, "t/model") == {"of": "t/model"}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> list[Namespace]:
    """The branches that stand in a cluster."""
    there: list[Namespace] = []

    def remove(namespace: Namespace) -> None:
        if namespace.name == "stuck":
            raise ClusterError("kubectl delete failed: it takes too long.")
        there.remove(namespace)

    monkeypatch.setenv("HEADRACE_CLUSTER", "test")
    monkeypatch.setattr("platform_core.cluster.branches.remove_branch", remove)
    monkeypatch.setattr(
        "platform_core.cluster.branches.left_in_cluster", lambda closed: [one for one in there if one in closed]
    )
    return there


def test_what_a_branch_has_in_the_cluster_goes_with_it(world: World, cluster: list[Namespace]) -> None:
    cluster += [opened(world, "over", OVER), opened(world, "going", None), Namespace("branch", "another-catalogs")]
    assert go(world).branches == ("branch/over",)
    assert cluster == [Namespace("branch", "going"), Namespace("branch", "another-catalogs")]


def test_a_branch_that_was_closed_without_the_cluster_is_removed_from_it(
    world: World, cluster: list[Namespace], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.append(opened(world, "over", OVER))
    with monkeypatch.context() as pod:
        pod.delenv("HEADRACE_CLUSTER")  # as in production's own pods, which have no kubectl
        assert go(world).branches == ("branch/over",)
    assert cluster
    assert go(world, dry_run=True).branches == ("branch/over",)
    assert go(world).branches == ("branch/over",)
    assert not cluster


def test_a_cluster_that_does_not_answer_keeps_none_of_the_others(world: World, cluster: list[Namespace]) -> None:
    cluster += [opened(world, "stuck", OVER), opened(world, "over", OVER)]
    swept = go(world)
    assert swept.branches == ("branch/over",)
    assert swept.kept == ("kubectl delete failed: it takes too long.",)
    assert names(world) == {"stuck"}
