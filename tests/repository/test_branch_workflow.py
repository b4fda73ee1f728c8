"""The workflow of pull requests holds no logic: commands and settings that there are, and secrets that it declares."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from platform_core.cli.main import headrace
from platform_core.instance_settings import InstanceSettings
from platform_core.settings import Settings

TEXT = (Path(__file__).parents[2] / ".github" / "workflows" / "branch.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
PROGRAM = ".venv/bin/headrace "
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
COMMANDS = [step["run"] for step in STEPS if step["run"] != "make install"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_step_is_a_command_that_takes_what_it_is_given(command: str) -> None:
    assert command.startswith(PROGRAM)
    words = re.sub(r"\$\{\{.*?\}\}|\"\$NAME\"", "1", command.removeprefix(PROGRAM)).split()
    found: click.Command = headrace
    while isinstance(found, click.Group):
        name, *words = words
        found = found.get_command(click.Context(found), name) or pytest.fail(f"there is no {name}")
    found.make_context(name, words)  # which fails for an option or argument that it does not know


def test_a_merge_promotes_and_whatever_ends_is_closed() -> None:
    named = [words[2] for words in map(str.split, COMMANDS)]
    assert named == ["open", "run", "comment", "check", "promote", "close"]
    (promotion,) = [step for step in STEPS if "promote" in step["run"]]
    assert promotion["if"] == "github.event.pull_request.merged"


def test_only_the_promotion_has_what_production_needs() -> None:
    told = {*WORKFLOW["env"], *(name for step in STEPS for name in step.get("env", {}))}
    known = {f"HEADRACE_{name.upper()}" for name in (*Settings.model_fields, *InstanceSettings.model_fields)}
    assert told <= known | {"GITHUB_TOKEN", "NAME"}
    declared = WORKFLOW[True]["workflow_call"]["secrets"]  # YAML reads the word `on` as true
    assert set(re.findall(r"secrets\.(\w+)", TEXT)) == set(declared)
    assert not [text for text in map(str, WORKFLOW["env"].values()) if "PRODUCTION_CATALOG" in text or "SECRET" in text]
