"""Who computes, with which code, in which environment."""

import subprocess
from pathlib import Path

import pytest

from platform_core.provenance import author, environment_hash, git_commit


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
    environment_hash.cache_clear()


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


def test_the_environment_is_the_hash_of_the_lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    lock = tmp_path / "code_locations" / "flights" / "uv.lock"
    assert environment_hash("flights") == ""
    lock.parent.mkdir(parents=True)
    lock.write_text("one")
    environment_hash.cache_clear()
    first = environment_hash("flights")
    lock.write_text("other")
    environment_hash.cache_clear()
    assert len(first) == len(environment_hash("flights")) == 12
    assert first != environment_hash("flights")


def test_the_author_is_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "tess")
    assert author() == "tess"
