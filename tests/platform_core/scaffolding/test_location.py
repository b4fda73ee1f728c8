"""What a new location begins with is right: names, style, and what it says of itself."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from platform_core.errors import DefinitionError
from platform_core.scaffolding.location import NewLocation, texts
from tests.repository.tree import ROOT

NEW = NewLocation("demand", "team:pricing", 'How much is "sold"?')


@pytest.mark.parametrize("name", ["Demand", "1st", "demand-forecast", "", "class", "a/b", ".hidden", "demand "])
def test_a_name_that_is_no_package_is_refused_with_one_that_would_do(name: str) -> None:
    with pytest.raises(DefinitionError, match=r"small letters.*demand_forecast"):
        NewLocation(name, "team:pricing")


@pytest.mark.parametrize("owner", ["pricing", "team:", "team:a b", "ann@example.com"])
def test_the_owner_is_a_team(owner: str) -> None:
    with pytest.raises(DefinitionError, match="team:pricing"):
        NewLocation("demand", owner)


def test_its_project_says_who_owns_it_and_stands_on_the_platform() -> None:
    project = tomllib.loads(texts(NEW, ["sqlalchemy<2.1"])["pyproject.toml"])
    assert project["project"]["name"] == "demand"
    assert project["project"]["description"] == 'How much is "sold"?'
    assert project["tool"]["headrace"] == {"owner": "team:pricing"}
    assert project["tool"]["uv"]["constraint-dependencies"] == ["sqlalchemy<2.1"]
    assert project["tool"]["uv"]["sources"] == {"headrace": {"path": "../..", "editable": True}}


def test_without_a_description_it_has_one() -> None:
    project = tomllib.loads(texts(NewLocation("demand", "team:pricing"), [])["pyproject.toml"])
    assert project["project"]["description"] == "What pricing works on."


def test_its_code_is_written_as_this_repository_is(tmp_path: Path) -> None:
    folder = tmp_path / "code_locations" / "demand_forecasts_of_two_weeks"
    for path, text in texts(NewLocation(folder.name, "team:pricing"), []).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    ours = "lint.isort.known-first-party=['code_locations', 'platform_core', 'resources']"
    for verb in (["check", "--config", ours], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *verb, "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert (folder / "tests" / "test_joins.py").is_file()
