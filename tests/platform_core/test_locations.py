"""The list of locations is workspace.yaml; a broken one is told in a sentence that names the file."""

from pathlib import Path

import pytest

from platform_core.errors import NotFoundError, SettingsError
from platform_core.locations import Location, all_locations, find_location

ENTRY = """
  - python_module:
      module_name: code_locations.{name}.definitions
      location_name: {name}
      executable_path: code_locations/{name}/.venv/bin/python
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace.yaml of a repository with two locations."""
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    path = tmp_path / "workspace.yaml"
    path.write_text("load_from:" + ENTRY.format(name="flights") + ENTRY.format(name="airports"))
    return path


def test_locations_are_given_in_the_order_of_the_file(workspace: Path) -> None:
    assert [location.name for location in all_locations()] == ["flights", "airports"]
    interpreter = workspace.parent / "code_locations/flights/.venv/bin/python"
    assert all_locations()[0] == Location("flights", "code_locations.flights.definitions", interpreter)


def test_a_location_is_found_by_its_name(workspace: Path) -> None:
    assert find_location("airports").module == "code_locations.airports.definitions"


def test_an_unknown_location_is_refused_with_a_suggestion(workspace: Path) -> None:
    with pytest.raises(
        NotFoundError, match=r"no location 'fligths'\. Did you mean flights\? There are: flights, airports"
    ):
        find_location("fligths")


@pytest.mark.parametrize(
    "text",
    [
        *("", "load_from:", "load_from: 7", "load_from: [flights]", "- flights", "load_from: {a: b}", "}{", "\t"),
        "load_from:\n  - python_file: {relative_path: x.py}",
        "load_from:\n  - python_module: flights",
        "load_from:\n  - python_module: {module_name: x, location_name: x}",
    ],
)
def test_a_broken_list_is_one_sentence_that_names_the_file(text: str, workspace: Path) -> None:
    workspace.write_text(text)
    with pytest.raises(SettingsError) as error:
        all_locations()
    assert str(error.value).startswith(f"{workspace} is not a list of locations: each entry is a python_module with")


def test_a_missing_list_names_the_file_too(workspace: Path) -> None:
    workspace.unlink()
    with pytest.raises(SettingsError, match=r"workspace\.yaml is not a list of locations"):
        find_location("flights")


def test_a_location_without_its_environment_says_how_to_make_it(workspace: Path) -> None:
    folder = workspace.parent / "code_locations/flights"
    with pytest.raises(SettingsError, match=f"Make it with: uv sync --locked --project {folder}$"):
        find_location("flights").require_environment()


def test_an_installed_environment_is_enough(workspace: Path) -> None:
    location = find_location("flights")
    location.interpreter.parent.mkdir(parents=True)
    location.interpreter.touch()
    location.require_environment()
