"""A hash changes with whatever a location's definitions may be made of, committed or not, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from platform_core.branches.trees import blobs_at, blobs_here, digest_of
from tests.end_to_end.small_repository import commit, git

FILES = {
    "code_locations/one/assets.py": "1",
    "code_locations/one/tests/test_assets.py": "1",
    "code_locations/two/assets.py": "2",
    "code_locations/__init__.py": "",
    "platform_core/layers.py": "layers",
    "docs/page.md": "words",
    ".gitignore": "*.log\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name, text in FILES.items():
        write(tmp_path, name, text)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path, "The beginning")
    return tmp_path


def write(repository: Path, name: str, text: str) -> None:
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text(text)


def digests(repository: Path) -> tuple[str, str]:
    files = blobs_here(repository)
    return digest_of("one", files), digest_of("two", files)


def test_an_edit_counts_for_its_own_location_alone(repository: Path) -> None:
    before = digests(repository)
    write(repository, "code_locations/one/assets.py", "edited")
    after = digests(repository)
    assert (after[0] != before[0], after[1] != before[1]) == (True, False)


def test_an_edit_of_the_platform_counts_for_all(repository: Path) -> None:
    before = digests(repository)
    write(repository, "platform_core/layers.py", "edited")
    assert not set(before) & set(digests(repository))


@pytest.mark.parametrize("name", ["docs/page.md", "code_locations/one/tests/test_assets.py", "notes.log"])
def test_what_definitions_are_not_made_of_does_not_count(repository: Path, name: str) -> None:
    before = digests(repository)
    write(repository, name, "edited")
    assert digests(repository) == before


def test_files_that_came_and_went_count(repository: Path) -> None:
    before = digests(repository)[0]
    write(repository, "code_locations/one/new ümlaut.py", "new")
    came = digests(repository)[0]
    (repository / "code_locations/one/assets.py").unlink()
    assert len({before, came, digests(repository)[0]}) == 3


def test_what_is_committed_is_what_was_there_before(repository: Path) -> None:
    write(repository, "code_locations/one/assets.py", "edited")
    write(repository, "code_locations/one/new ümlaut.py", "new")
    (repository / "code_locations/one/link.py").symlink_to("assets.py")
    edited = blobs_here(repository)
    commit(repository, "Edited")
    assert blobs_here(repository) == edited == blobs_at(repository, "HEAD")


def test_outside_a_git_repository_nothing_is_known(tmp_path: Path) -> None:
    assert blobs_here(tmp_path) == blobs_at(tmp_path, "HEAD") == {}
    assert digest_of("one", {}) == ""
