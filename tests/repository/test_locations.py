"""There is one list of locations, `workspace.yaml`; folders, interpreters and locks agree with it."""

import tomllib
from typing import Any

import pytest
import yaml

from tests.repository.tree import ROOT, locations

LOCATIONS = locations()


def entries() -> dict[str, dict[str, Any]]:
    """What `workspace.yaml` says of each location, by its name."""
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    listed = [entry["python_module"] for entry in workspace["load_from"]]
    return {entry["location_name"]: entry for entry in listed}


def test_the_workspace_and_the_folders_name_the_same_locations():
    assert set(entries()) == set(LOCATIONS)


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_location_is_loaded_by_its_own_interpreter(name: str):
    entry = entries()[name]
    assert entry["module_name"] == f"code_locations.{name}.definitions"
    assert entry["executable_path"] == f"code_locations/{name}/.venv/bin/python"


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_location_has_its_own_lock_and_stands_on_the_root_by_path(name: str):
    assert (LOCATIONS[name] / "uv.lock").is_file()
    project = tomllib.loads((LOCATIONS[name] / "pyproject.toml").read_text())
    assert project["project"]["name"] == name
    assert project["tool"]["uv"]["sources"]["headrace"] == {"path": "../..", "editable": True}


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_location_is_written_the_same_way_as_every_other(name: str):
    assert (LOCATIONS[name] / "definitions.py").is_file()
    assert list((LOCATIONS[name] / "tests").glob("test_*.py"))


@pytest.mark.parametrize("name", LOCATIONS)
def test_a_location_has_an_owner(name: str):
    project = tomllib.loads((LOCATIONS[name] / "pyproject.toml").read_text())
    assert project["tool"]["headrace"]["owner"].startswith("team:")


@pytest.mark.parametrize("name", LOCATIONS)
def test_settings_alone_move_a_location_to_other_engines(name: str):
    """PostgreSQL, S3, containers, Kubernetes and Batch are chosen by settings, so their libraries are there before."""
    project = tomllib.loads((LOCATIONS[name] / "pyproject.toml").read_text())
    (platform,) = [dep for dep in project["project"]["dependencies"] if dep.startswith("headrace[")]
    assert "engines" in platform.removeprefix("headrace[").removesuffix("]").split(",")
