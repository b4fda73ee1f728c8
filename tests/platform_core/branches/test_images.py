"""Where steps run in images, those of a branch run in images of its own code and lock file."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from platform_core.branches.deployment import Deployment
from platform_core.catalog.branch_values import Branch
from platform_core.environments.images.digests import image_to_run
from platform_core.settings import Settings, as_if_in
from tests.end_to_end.conftest import REPOSITORY
from tests.end_to_end.small_repository import commit, edit, git, small_repository


@pytest.fixture
def branch(tmp_path: Path) -> Deployment:
    """A branch in a worktree beside the code of production."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    repository = small_repository(tmp_path / "repository")
    (repository / "deploy").mkdir()
    shutil.copytree(REPOSITORY / "deploy" / "images", repository / "deploy" / "images")
    commit(repository, "How images are built")
    git(repository, "worktree", "add", "--quiet", "-b", "new-engine", str(tmp_path / "code"))
    opened = Branch("branch/new-engine", "new-engine", "c0ffee", str(tmp_path / "code"), None)
    return Deployment(opened, Settings(home=tmp_path / "home", repository=repository))


def image(branch: Deployment) -> str:
    with as_if_in(branch.variables):
        return image_to_run("flights", ())[0]


def on_production_s_code(branch: Deployment) -> Deployment:
    return replace(branch, branch=replace(branch.branch, checkout=str(branch.settings.repository)))


def test_the_same_code_needs_no_image_of_its_own(branch: Deployment) -> None:
    assert image(branch) == image(on_production_s_code(branch))


def test_an_edit_gives_it_another_image(branch: Deployment) -> None:
    edit(branch.code, "FACTOR = 2", "FACTOR = 20")
    environment, _, code = image(branch).rpartition("-")
    theirs, _, their_code = image(on_production_s_code(branch)).rpartition("-")
    assert (environment == theirs, code == their_code) == (True, False)


def test_another_lock_file_gives_it_another_environment(branch: Deployment) -> None:
    lock = branch.code / "code_locations" / "flights" / "uv.lock"
    lock.write_text(lock.read_text() + "\n")
    assert image(branch).rpartition("-")[0] != image(on_production_s_code(branch)).rpartition("-")[0]
