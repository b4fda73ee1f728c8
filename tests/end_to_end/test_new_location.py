"""A location that was just made can be run, checked and tested, without a line being changed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.conftest import FLIGHTS, REPOSITORY, Headrace
from tests.end_to_end.small_repository import small_repository


@pytest.fixture
def headrace(tmp_path: Path) -> Headrace:
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path / "repository")
    shutil.copy(REPOSITORY / "README.md", folder)  # which whoever installs the platform needs
    return Headrace(tmp_path / "home", "user/ann").having(HEADRACE_REPOSITORY=str(folder), PYTHONPATH=str(folder))


def test_a_new_location_runs_at_once(headrace: Headrace) -> None:
    repository = Path(headrace.variables["HEADRACE_REPOSITORY"])
    made = headrace("new-location", "demand", "--owner", "team:pricing", cwd=repository)
    assert made.returncode == 0, made.stdout
    assert "headrace run --location demand" in made.stdout
    run = headrace("run", "--location", "demand", cwd=repository)
    assert run.returncode == 0, run.stdout
    assert [len(headrace.versions(name, "demand")) for name in ("orders", "daily_orders")] == [1, 1]
    checked = headrace("check", cwd=repository)
    assert (checked.returncode, "✓ demand: 2 assets" in checked.stdout) == (0, True), checked.stdout
    python = repository / "code_locations" / "demand" / ".venv" / "bin" / "python"
    command = [str(python), "-m", "pytest", "-q", "code_locations/demand/tests"]
    tested = subprocess.run(command, cwd=repository, env=headrace.environment(), capture_output=True, check=False)
    assert tested.returncode == 0, tested.stdout


def test_what_cannot_be_made_is_misuse_and_changes_nothing(headrace: Headrace) -> None:
    repository = Path(headrace.variables["HEADRACE_REPOSITORY"])
    before = (repository / "workspace.yaml").read_text()
    for name, owner in (("flights", "team:pricing"), ("De mand", "team:pricing"), ("demand", "pricing")):
        refused = headrace("new-location", name, "--owner", owner, cwd=repository)
        assert (refused.returncode, "Traceback" in refused.stdout) == (2, False), refused.stdout
    assert (repository / "workspace.yaml").read_text() == before
    assert sorted(path.name for path in (repository / "code_locations").iterdir()) == ["__init__.py", "flights"]
