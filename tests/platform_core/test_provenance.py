"""Who computes, with which code, in which environment."""

import subprocess
from contextvars import copy_context
from pathlib import Path

import pytest

from platform_core.catalog.values import COST, SECONDS
from platform_core.provenance import BUILT_FROM, PRICE, author, begin, git_commit, spent


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one commit."""
    (tmp_path / "code.py").write_text("1\n")
    for command in ("init -q", "add code.py", "-c user.name=t -c user.email=t@example.org commit -qm one"):
        subprocess.run(["git", "-C", str(tmp_path), *command.split()], check=True)
    return tmp_path


@pytest.fixture(autouse=True)
def _forget() -> None:
    git_commit.cache_clear()


def test_the_commit_that_is_checked_out_is_known(repository: Path) -> None:
    assert len(git_commit(repository)) == 40


def test_changes_besides_the_commit_are_marked(repository: Path) -> None:
    (repository / "code.py").write_text("2\n")
    assert git_commit(repository).endswith("+")


def test_files_that_git_does_not_know_are_no_change(repository: Path) -> None:
    (repository / "notes.txt").write_text("x")
    assert not git_commit(repository).endswith("+")


def test_outside_of_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == ""


def test_in_an_image_it_is_the_commit_that_the_image_was_built_from(tmp_path: Path) -> None:
    (tmp_path / BUILT_FROM).write_text('{"code": "abc", "git_commit": "0123"}')
    assert git_commit(tmp_path) == "0123"


def test_the_author_is_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "tess")
    assert author() == "tess"


def _took(versions: int) -> dict[str, float]:
    begin()
    return spent(versions)


def test_what_a_step_took_is_shared_by_its_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 7200.0, 0.0, 7200.0])
    monkeypatch.setattr("platform_core.provenance.time.monotonic", lambda: next(now))
    monkeypatch.setenv(PRICE, "0.5")
    assert copy_context().run(_took, 4) == {SECONDS: 1800, COST: 0.25}
    monkeypatch.delenv(PRICE)
    assert copy_context().run(_took, 1) == {SECONDS: 7200}


def test_outside_a_process_of_a_step_nobody_knows_what_it_takes() -> None:
    assert spent() == {}
