"""The Makefile stays a short list of what a person does, and holds no second list of locations."""

import os
import shutil
import subprocess

import pytest

from tests.repository.tree import ROOT, locations

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str) -> str:
    # Under `make test` a second make would count itself as a part of the first and say so.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", *arguments], cwd=ROOT, env=alone, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_alone_lists_the_five_targets_with_a_line_each():
    lines = [line.split("\t") for line in make().splitlines()]
    assert [command for command, _ in lines] == ["make run", "make ui", "make test", "make check", "make bench"]
    assert all(about.strip() for _, about in lines)


@pytest.mark.parametrize("target", ["run", "ui", "test", "check", "bench"])
def test_every_target_installs_the_root_and_each_location_from_their_locks(target: str):
    recipe = make("--dry-run", target)
    assert "sync --locked --all-extras" in recipe
    assert all(f"code_locations/{name}" in recipe for name in locations())


def test_the_tests_of_each_location_run_in_its_own_environment():
    recipe = make("--dry-run", "test")
    assert "$location/.venv/bin/python -m pytest -rfEs $location/tests" in recipe


def test_what_only_an_installation_on_aws_needs_is_installed_for_its_tests_alone():
    assert "sync --locked --project deploy/aws && deploy/aws/.venv/bin/python -m pytest" in make("--dry-run", "test")
    assert "deploy/aws" not in make("--dry-run", "run")


def test_no_location_but_the_demo_is_named():
    text = (ROOT / "Makefile").read_text()
    assert [name for name in locations() if f"code_locations/{name}" in text] == ["flights"]
