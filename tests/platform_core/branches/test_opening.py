"""A branch is opened without a copy, and closing it leaves nothing behind, however often it is interrupted."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_core.branches import opening
from platform_core.branches.deployment import Deployment, find_branch
from platform_core.branches.opening import close_branch, expired, open_branch, ready_code
from platform_core.errors import NamespaceError
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import Settings
from tests.end_to_end.small_repository import git
from tests.platform_core.branches.conftest import NEW_ENGINE, World, new_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A git repository with the branches main and new-engine, the second of which is checked out."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    world = new_world(tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / ".gitignore").write_text("*\n")
    git(tmp_path, "add", "--force", ".gitignore")
    git(tmp_path, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "--quiet", "--message", "First")
    git(tmp_path, "switch", "--quiet", "--create", "new-engine")
    return world


def start(world: World, name: str = "", **said: Any) -> Deployment:
    return open_branch(world.catalog, world.settings, name, **said)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_the_branch_that_is_checked_out_is_opened_where_it_is(world: World) -> None:
    before = files(world.settings.home / "store")
    opened = start(world)
    assert (opened.namespace, opened.code, opened.has_own_code) == (NEW_ENGINE, world.settings.repository, False)
    assert files(world.settings.home / "store") == before
    assert world.value(NEW_ENGINE, "t/model") == {"of": "t/model"}


def test_another_one_gets_a_worktree(world: World) -> None:
    git(world.settings.repository, "branch", "other")
    opened = start(world, "other")
    assert opened.has_own_code
    assert (opened.code / ".gitignore").is_file()


@pytest.mark.parametrize(
    ("name", "sentence"), [("nope", "git knows no branch 'nope'"), ("main", "main is the code that production runs")]
)
def test_what_cannot_be_opened_is_one_sentence(world: World, name: str, sentence: str) -> None:
    with pytest.raises(NamespaceError, match=sentence):
        start(world, name)
    assert world.catalog.branches() == []


def test_one_that_is_open_goes_on_when_asked_to(world: World) -> None:
    first = start(world)
    with pytest.raises(NamespaceError, match="is open already"):
        start(world)
    world.compute(NEW_ENGINE, "t/model", "mine")
    assert start(world, again=True).namespace == first.namespace
    assert world.value(NEW_ENGINE, "t/model") == "mine"


def test_a_personal_namespace_can_have_the_code_of_a_branch(world: World) -> None:
    ann = Namespace("user", "ann")
    assert start(world, namespace=ann).namespace == ann


def test_closing_removes_what_the_branch_made_and_nothing_else(world: World) -> None:
    git(world.settings.repository, "branch", "other")
    opened = start(world, "other")
    before = files(world.settings.home / "store")
    world.compute(opened.namespace, "t/model", "mine")
    opened.dagster_home.mkdir(parents=True)
    assert close_branch(world.catalog, world.store, opened) == 1
    assert files(world.settings.home / "store") == before
    assert not opened.folder.exists()
    assert not opened.dagster_home.exists()
    with pytest.raises(NamespaceError, match="branch/other was closed already"):
        find_branch(world.catalog, "other")


def test_edits_in_a_worktree_are_not_lost(world: World) -> None:
    git(world.settings.repository, "branch", "other")
    opened = start(world, "other")
    (opened.code / ".gitignore").write_text("edited")
    with pytest.raises(NamespaceError, match="holds edits that no commit has"):
        close_branch(world.catalog, world.store, opened)
    assert world.catalog.branch(opened.namespace) is not None
    close_branch(world.catalog, world.store, opened, force=True)
    assert not opened.code.exists()


@pytest.mark.parametrize("point", ["_remove_files", "shutil.rmtree", "remove_worktree"])
def test_closing_again_completes_what_was_interrupted(
    world: World, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(world.settings.repository, "branch", "other")
    opened = start(world, "other")
    before = files(world.settings.home / "store" / "production")
    world.compute(opened.namespace, "t/model", "mine")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"{opening.__name__}.{point}", killed)
        with pytest.raises(KeyboardInterrupt):
            close_branch(world.catalog, world.store, opened)
    close_branch(world.catalog, world.store, Deployment(find_branch(world.catalog, "other"), world.settings))
    assert world.catalog.branches() == []
    assert files(world.settings.home / "store") == before
    assert not opened.folder.exists()


def test_a_name_can_be_used_again(world: World) -> None:
    opened = start(world)
    world.compute(NEW_ENGINE, "t/model", "mine")
    close_branch(world.catalog, world.store, opened)
    start(world)
    assert world.value(NEW_ENGINE, "t/model") == world.value(PRODUCTION, "t/model")


def test_settings_name_the_code_and_the_namespace(world: World) -> None:
    variables = start(world).variables
    assert variables["HEADRACE_NAMESPACE"] == "branch/new-engine"
    assert variables["HEADRACE_REPOSITORY"] == variables["PYTHONPATH"] == str(world.settings.repository)
    assert Settings(home=world.settings.home).home == Path(variables["HEADRACE_HOME"])


def test_what_is_over_or_half_closed_has_expired(world: World) -> None:
    now = datetime.now(UTC)
    for name, days in (("other", 1), ("late", 30), ("kept", 1)):
        git(world.settings.repository, "branch", name)
        start(world, name, days=days)
    world.catalog.keep_branch(Namespace("branch", "kept"), None)
    start(world)
    world.catalog.close_namespace(NEW_ENGINE)
    assert [branch.git_branch for branch in expired(world.catalog, now)] == ["new-engine"]
    assert {branch.git_branch for branch in expired(world.catalog, now + timedelta(days=2))} == {"new-engine", "other"}


def test_a_name_of_symbols_alone_is_one_sentence(world: World) -> None:
    git(world.settings.repository, "branch", "+++")
    with pytest.raises(NamespaceError, match=r"'\+\+\+' has no letter or digit that a namespace could be named by\."):
        start(world, "+++")
    with pytest.raises(NamespaceError, match=r"There is no branch deployment '\+\+\+'"):
        find_branch(world.catalog, "+++")


def test_code_that_is_gone_is_one_sentence(world: World) -> None:
    opened = start(world)
    lost = Deployment(replace(opened.branch, checkout=str(world.settings.home / "gone")), world.settings)
    with pytest.raises(NamespaceError, match="which is gone; where it is now, say: headrace branch open new-engine"):
        ready_code(lost)


def test_a_worktree_that_somebody_deleted_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "link_environments", lambda *_: None)
    git(world.settings.repository, "branch", "other")
    opened = start(world, "other")
    shutil.rmtree(opened.code)
    ready_code(opened)
    assert (opened.code / ".gitignore").is_file()
    shutil.rmtree(opened.code)
    close_branch(world.catalog, world.store, opened)
    assert world.catalog.branches() == []
