"""A git repository with one small location, for tests of commands that look at commits."""

import shutil
import subprocess
from pathlib import Path

from tests.end_to_end.conftest import REPOSITORY

ASSETS = '''
"""Numbers, for tests."""

import polars as pl

from platform_core import fact, feature, model

FACTOR = 2


@fact
def numbers() -> pl.DataFrame:
    """A few numbers."""
    return pl.DataFrame({"number": [1, 2, 3]})


def doubled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(double=pl.col("number") * FACTOR)


@feature
def doubles(numbers: pl.DataFrame) -> pl.DataFrame:
    """Their doubles."""
    return doubled(numbers)


@model
def total(doubles: pl.DataFrame) -> dict[str, int]:
    """A model, of sorts."""
    return {"total": int(doubles["double"].sum())}


@feature
def others(numbers: pl.DataFrame) -> pl.DataFrame:
    """What no test changes."""
    return numbers
'''
DEFINITIONS = """
from code_locations.flights import assets
from platform_core import build_location
from resources.by_deployment import shared_resources
from resources.compute import compute_table

defs = build_location("flights", [assets], resources=shared_resources(), compute=compute_table())
"""
WORKSPACE = """
load_from:
  - python_module:
      module_name: code_locations.flights.definitions
      location_name: flights
      working_directory: .
      executable_path: code_locations/flights/.venv/bin/python
"""


def small_repository(folder: Path) -> Path:
    """A repository on its branch main. Its location has the environment of this repository's location flights."""
    location, original = folder / "code_locations" / "flights", REPOSITORY / "code_locations" / "flights"
    location.mkdir(parents=True)
    for name in ("platform_core", "resources", "dagster.yaml"):
        (folder / name).symlink_to(REPOSITORY / name)
    for name in ("pyproject.toml", ".gitignore"):
        shutil.copy(REPOSITORY / name, folder / name)
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(original / name, location / name)
    (folder / "workspace.yaml").write_text(WORKSPACE)
    for package in (location.parent, location):
        (package / "__init__.py").touch()
    (location / "assets.py").write_text(ASSETS)
    (location / "definitions.py").write_text(DEFINITIONS)
    (location / ".venv").symlink_to(original / ".venv")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "The beginning")
    return folder


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "--quiet", "--message", message)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def edit(folder: Path, before: str, after: str) -> None:
    """Changes the location's code."""
    path = folder / "code_locations" / "flights" / "assets.py"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
