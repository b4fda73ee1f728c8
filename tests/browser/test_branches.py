"""What a person sees and clicks of a branch: from the list to its UI, its data, and production after the promotion."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import TakePicture
from tests.browser.pages import AssetPage, BranchesPage
from tests.end_to_end.conftest import FLIGHTS, Headrace
from tests.end_to_end.running_ui import running_ui
from tests.end_to_end.small_repository import commit, edit, git, small_repository

pytestmark = pytest.mark.browser

BRANCH = "branch/new-engine"


@pytest.fixture(scope="module")
def repository(browser: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small repository whose production is built, with an edited git branch."""
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path_factory.mktemp("branches") / "repository")
    call(folder, "run")
    git(folder, "switch", "--quiet", "--create", "new-engine")
    edit(folder, "FACTOR = 2", "FACTOR = 20")
    commit(folder, "Ten times as much")
    git(folder, "switch", "--quiet", "main")
    return folder


@pytest.fixture(scope="module")
def address(repository: Path) -> Iterator[str]:
    with running_ui(production(repository), repository) as ui:
        yield ui.address


def production(folder: Path) -> Headrace:
    return Headrace(folder / ".headrace", "production").having(
        HEADRACE_REPOSITORY=str(folder), PYTHONPATH=str(folder), USER="ann", LOGNAME="ann"
    )


def call(folder: Path, *arguments: str) -> None:
    done = production(folder)(*arguments, cwd=folder)
    assert done.returncode == 0, done.stdout


def total(folder: Path) -> int:
    """The value that production shows."""
    version, *_ = production(folder).versions("total")
    return int(json.loads((folder / ".headrace" / "store" / version.files[0].key).read_text())["total"])


def test_a_change_goes_from_the_list_of_branches_into_production(
    page: Page, repository: Path, take_picture: TakePicture
) -> None:
    branches, there = BranchesPage(page), AssetPage(page, below=f"/{BRANCH}")
    branches.open()
    expect(branches.row("production")).to_contain_text("success")
    expect(branches.row(BRANCH)).to_have_count(0)
    call(repository, "branch", "open", "new-engine")
    branches.open()
    expect(branches.row(BRANCH)).to_contain_text("asleep")
    branches.row(BRANCH).get_by_role("link", name="new-engine").click()
    expect(page.locator("[data-headrace=namespace]")).to_have_text(BRANCH)

    there.open("numbers")
    expect(there.metadata("headrace/namespace")).to_contain_text("production")  # from which the branch reads it
    there.open("doubles")
    expect(page.get_by_text("Changed in branch").first).to_be_visible()
    take_picture(page, "branch")
    there.materialize()
    there.open("total")
    run = there.materialize()
    assert total(repository) == 12
    AssetPage(page).open("total")
    expect(page.locator("[data-headrace=namespace]")).to_have_text("production")
    expect(page.get_by_text("Changed in branch")).to_have_count(0)
    page.goto("/runs")
    expect(page.get_by_text(run[:8])).to_have_count(0)

    branches.open()
    expect(branches.row(BRANCH)).to_contain_text("2 runs")
    take_picture(page.locator("body"), "branches")
    branches.row(BRANCH).get_by_role("link", name="what it did").click()
    expect(page.get_by_text("flights/doubles").first).to_be_visible()
    take_picture(page, "report")

    git(repository, "merge", "--quiet", "new-engine")
    call(repository, "branch", "promote", "new-engine")
    assert total(repository) == 120
    AssetPage(page).open("total")
    expect(AssetPage(page).metadata("headrace/branch_run")).to_contain_text(run)
