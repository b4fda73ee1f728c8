"""The code of an earlier commit."""

import shutil
import subprocess
from pathlib import Path

import pytest

from platform_core.environments.checkouts import checkout_of
from platform_core.errors import FrozenError
from tests.platform_core.environments.test_changes import git


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits of a repository in which `code.py` says 1 and then 2, and 3 without a commit."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(root))
    git(root, "init", "-q")
    for text in ("1", "2"):
        (root / "code.py").write_text(text)
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", text)
    (root / "code.py").write_text("3")
    said = subprocess.run(
        ["git", "-C", root, "rev-list", "--reverse", "HEAD"], capture_output=True, text=True, check=True
    )
    return said.stdout.split()


def test_it_lies_beside_what_is_checked_out_and_goes_away(commits: list[str], tmp_path: Path) -> None:
    one, two, again = (tmp_path / name for name in ("one", "two", "again"))
    with checkout_of(commits[0], one), checkout_of(commits[1], two), checkout_of(commits[0], again):
        assert [(folder / "code.py").read_text() for folder in (one, two, again)] == ["1", "2", "1"]
    assert not any(folder.exists() for folder in (one, two, again))
    assert (tmp_path / "repository/code.py").read_text() == "3"
    listed = subprocess.run(
        ["git", "-C", tmp_path / "repository", "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1


def test_it_goes_away_after_an_error_too(commits: list[str], tmp_path: Path) -> None:
    with pytest.raises(KeyError), checkout_of(commits[0], tmp_path / "one") as folder:
        raise KeyError
    assert not folder.exists()


def test_git_forgets_one_that_went_with_its_process(commits: list[str], tmp_path: Path) -> None:
    git(tmp_path / "repository", "worktree", "add", "--detach", str(tmp_path / "left"), commits[0])
    shutil.rmtree(tmp_path / "left")
    with checkout_of(commits[0], tmp_path / "one"):
        listed = subprocess.run(
            ["git", "-C", tmp_path / "repository", "worktree", "list"], capture_output=True, text=True, check=True
        )
    assert str(tmp_path / "left") not in listed.stdout


def test_a_commit_that_git_does_not_have_is_a_sentence(commits: list[str], tmp_path: Path) -> None:
    with (
        pytest.raises(FrozenError, match=r"The code of the commit 000000000000 cannot be had back \("),
        checkout_of("0" * 40, tmp_path / "one"),
    ):
        pass
