"""A location that cannot be loaded, in whatever way, harms no other one, and the instance knows of it."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from platform_core.orchestrator.daemons import unloaded_locations
from tests.end_to_end.conftest import FLIGHTS, Headrace
from tests.end_to_end.running_ui import RunningUI, eventually, running_ui
from tests.end_to_end.small_repository import WORKSPACE, commit, git, small_repository

BROKEN = {
    "raising": "raise ValueError('the file is gone')\n",
    "looping": "while True:\n    pass\n",
    "killing": "import os\nos.kill(os.getpid(), 9)\n",
}
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
  __typename ... on PythonError { message causes { message } }
} } } } }"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A location that is well, after three that are not: whoever comes first must not hold up the others."""
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path / "repository")
    well = folder / "code_locations" / "flights"
    for name, code in BROKEN.items():
        location = folder / "code_locations" / name
        location.mkdir()
        (location / "__init__.py").touch()
        (location / "definitions.py").write_text(code)
        (location / ".venv").symlink_to((well / ".venv").resolve())
        for file in ("pyproject.toml", "uv.lock"):
            shutil.copy(well / file, location / file)
    entry = WORKSPACE.partition("load_from:\n")[2]
    entries = [entry.replace("flights", name) for name in (*BROKEN, "flights")]
    (folder / "workspace.yaml").write_text("load_from:\n" + "".join(entries))
    commit(folder, "Three that cannot be loaded")
    (folder / ".headrace").mkdir()
    return folder


def errors(ui: RunningUI, path: str = "") -> dict[str, str]:
    """What is said of the locations that were not loaded."""
    entries = ui.ask(LOCATIONS, path)["workspaceOrError"]["locationEntries"]
    told = {entry["name"]: entry["locationOrLoadError"] for entry in entries}
    assert set(told) == {*BROKEN, "flights"}
    return {name: str(error) for name, error in told.items() if error["__typename"] == "PythonError"}


def deployment_of(repository: Path) -> Headrace:
    variables = {"HEADRACE_REPOSITORY": str(repository), "PYTHONPATH": str(repository), "HEADRACE_LOAD_TIMEOUT": "20"}
    return Headrace(repository / ".headrace", "production").having(**variables)


def test_the_others_are_seen_and_run(repository: Path):
    headrace = deployment_of(repository)
    with running_ui(headrace, repository, quiet=False) as ui:
        eventually(lambda: set(errors(ui)) == set(BROKEN))  # flights may come late on a slow machine
        assert "the file is gone" in errors(ui)["raising"]
        assert "was not loaded within 20 seconds" in errors(ui)["looping"]
        ui.materialize(["numbers"])
        with dg.DagsterInstance.from_config(str(headrace.home / "dagster" / "production")) as instance:
            eventually(lambda: set(unloaded_locations(instance)) == set(BROKEN))
            assert "the file is gone" in unloaded_locations(instance)["raising"]
    done = headrace("run", "numbers", "--location", "flights", cwd=repository)
    assert done.returncode == 0, done.stdout
    done = headrace.having(HEADRACE_LOAD_TIMEOUT="5")("check", cwd=repository)
    assert done.returncode == 1
    assert "The location looping was not loaded within 25 seconds." in done.stdout
    assert "the file is gone" in done.stdout
    assert "killing: loading its definitions ended with code" in done.stdout


def test_in_a_branch_too(repository: Path):
    headrace = deployment_of(repository)
    git(repository, "branch", "new")
    done = headrace("branch", "open", "new", cwd=repository)
    assert done.returncode == 0, done.stdout
    with running_ui(headrace, repository, quiet=False) as ui:
        eventually(lambda: set(errors(ui, "/branch/new")) == set(BROKEN))
        assert "the file is gone" in errors(ui, "/branch/new")["raising"]
        assert "was not loaded within 20 seconds" in errors(ui, "/branch/new")["looping"]
        ui.materialize(["numbers"], "/branch/new")
