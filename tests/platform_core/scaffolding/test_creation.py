"""A location is added as a whole or not at all. That what is made can be run: tests/end_to_end/test_new_location.py."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.errors import DefinitionError, FrozenError, SettingsError
from platform_core.locations import locations_in
from platform_core.scaffolding import creation
from platform_core.scaffolding.creation import create, with_location
from platform_core.scaffolding.location import NewLocation
from platform_core.settings import as_if_in

WORKSPACE = """# The one list.
load_from:
  - python_module:
      module_name: code_locations.flights.definitions
      location_name: flights  # the first
      executable_path: code_locations/flights/.venv/bin/python
"""
NEW = NewLocation("demand", "team:pricing")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "code_locations" / "flights").mkdir(parents=True)
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_it_is_listed_last_and_nothing_else_of_the_list_changes() -> None:
    text = with_location(WORKSPACE, "demand")
    assert text.startswith(WORKSPACE)
    location = locations_in(text, Path("/r"))[-1]
    assert (location.name, location.module) == ("demand", "code_locations.demand.definitions")
    assert location.interpreter == Path("/r/code_locations/demand/.venv/bin/python")


@given(st.integers(0, 4), st.sampled_from(["", "\n", "\n\n", "# behind\n"]), st.integers(1, 4))
def test_it_is_listed_however_the_list_is_indented(spaces: int, behind: str, locations: int) -> None:
    text = "load_from:\n"
    for number in range(locations):
        text = text + _entry(" " * spaces, f"one{number}")
    names = [one.name for one in locations_in(with_location(text + behind, "demand"), Path())]
    assert names == [*(f"one{number}" for number in range(locations)), "demand"]


def _entry(indent: str, name: str) -> str:
    lines = ["- python_module:", f"    module_name: {name}.definitions", f"    location_name: {name}"]
    return "".join(f"{indent}{line}\n" for line in [*lines, "    executable_path: python"])


@pytest.mark.parametrize(
    "workspace",
    ["load_from: []\n", "load_from: [{python_module: {module_name: a, location_name: a, executable_path: a}}]\n"],
)
def test_a_list_that_is_written_otherwise_is_left_to_people(workspace: str) -> None:
    with pytest.raises(SettingsError, match="by hand:\n- python_module"):
        with_location(workspace, "demand")


def test_what_is_there_already_is_not_touched(repository: Path) -> None:
    before = everything(repository)
    with pytest.raises(DefinitionError, match="'flights' already"):
        create(NewLocation("flights", "team:pricing"), repository)
    (repository / "code_locations" / "demand").mkdir()
    with pytest.raises(DefinitionError, match="is there already, and no location"):
        create(NEW, repository)
    assert everything(repository) == before


def test_without_a_lock_file_there_is_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: str, doing: str) -> str:
        assert (repository / "code_locations" / ".demand.new" / "pyproject.toml").is_file()
        raise FrozenError(f"{doing}: the index is away.")

    monkeypatch.setattr(creation, "run_uv", refuse)
    before = everything(repository)
    with as_if_in({"HEADRACE_REPOSITORY": str(repository)}), pytest.raises(FrozenError, match="of demand cannot be"):
        create(NEW, repository)
    assert everything(repository) == before


def test_one_whose_environment_could_not_be_made_is_there_all_the_same(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock_alone(*arguments: str, doing: str) -> str:
        if arguments[0] == "sync":
            raise FrozenError(f"{doing}: the disk is full.")
        return ""

    monkeypatch.setattr(creation, "run_uv", lock_alone)
    with pytest.raises(FrozenError, match="The environment of demand"):
        create(NEW, repository)
    assert (repository / "code_locations" / "demand" / "definitions.py").is_file()
    assert "demand" in (repository / "workspace.yaml").read_text()
