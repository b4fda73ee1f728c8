"""The tree that the design fixes, and the files that stand for a promise."""

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.repository.tree import ROOT

FOLDERS = ["platform_core", "resources", "code_locations", "dbt_project", "deploy", "tests", "benchmarks", "docs"]
FILES = [
    *("workspace.yaml", "dagster.yaml", "pyproject.toml", "uv.lock", "Makefile", ".pre-commit-config.yaml"),
    *("README.md", "CONTEXT.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"),
]
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))


@pytest.mark.parametrize("name", FOLDERS)
def test_each_folder_of_the_design_exists(name: str):
    assert (ROOT / name).is_dir()


@pytest.mark.parametrize("name", FILES)
def test_each_file_of_the_design_exists_and_says_something(name: str):
    assert (ROOT / name).is_file()
    assert (ROOT / name).stat().st_size > 0


def test_local_state_is_not_committed():
    assert {".headrace/", ".venv"} <= set((ROOT / ".gitignore").read_text().splitlines())


def test_continuous_integration_calls_scripts_that_people_can_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands[-1] == ".ci/run"
    assert all((ROOT / command.split()[0]).is_file() for command in commands)


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_each_decision_record_is_short_and_complete(path: Path):
    lines = path.read_text().splitlines()
    assert re.fullmatch(rf"# {int(path.name[:4])}\. \S.*", lines[0])
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert headings == ["Status", "Context", "Decision", "Consequences"]
    assert len(lines) <= 40


def test_decision_records_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))
    assert ADRS
