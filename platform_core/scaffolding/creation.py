"""A new location becomes part of a repository: as a whole, or not at all."""

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platform_core.environments.uv import run_uv
from platform_core.errors import DefinitionError, SettingsError
from platform_core.locations import Location, all_locations, locations_in
from platform_core.scaffolding.location import NewLocation, texts

_ENTRY = """\
{indent}- python_module:
{indent}    module_name: code_locations.{name}.definitions
{indent}    location_name: {name}
{indent}    working_directory: .
{indent}    executable_path: code_locations/{name}/.venv/bin/python
"""


def create(new: NewLocation, repository: Path) -> Location:
    """Writes the folder of a location with its lock file, adds it to workspace.yaml, and installs its environment.

    Raises:
        DefinitionError: there is one of this name, or a folder.
        FrozenError: its dependencies could not be resolved, or not be installed.
        SettingsError: workspace.yaml is written in a way that nothing can be added to.
    """
    folder = repository / "code_locations" / new.name
    _require_free(new, folder)
    workspace = repository / "workspace.yaml"
    entered = with_location(workspace.read_text(), new.name)
    with _scratch_beside(folder) as scratch:
        _write(new, scratch, repository)
        run_uv("lock", "--project", str(scratch), doing=f"The dependencies of {new.name} cannot be resolved")
        scratch.rename(folder)
    _replace(workspace, entered)
    install(folder)
    return next(one for one in all_locations(repository) if one.name == new.name)


def install(folder: Path) -> None:
    """Makes the environment of the location in a folder.

    Raises:
        FrozenError: that failed.
    """
    doing = f"The environment of {folder.name} cannot be made"
    run_uv("sync", "--locked", "--project", str(folder), doing=doing)


def with_location(workspace: str, name: str) -> str:
    """The text of a workspace.yaml with one more location behind the others, whose lines and comments stay.

    Raises:
        SettingsError: it is written in another way than line by line.
    """
    found = re.search(r"^( *)- python_module:", workspace, re.MULTILINE)
    entry = _ENTRY.format(indent=found[1] if found else "", name=name)
    text = workspace.rstrip("\n") + "\n" + entry
    if not found or not _adds_only(name, workspace, text):
        raise SettingsError(f"workspace.yaml cannot be added to as it is written; add this to it by hand:\n{entry}")
    return text


def _adds_only(name: str, before: str, after: str) -> bool:
    import yaml

    try:
        names = [one.name for one in locations_in(after, Path())]
    except (yaml.YAMLError, KeyError, TypeError):
        return False
    return names == [*(one.name for one in locations_in(before, Path())), name]


def _require_free(new: NewLocation, folder: Path) -> None:
    if any(one.name == new.name for one in all_locations(folder.parents[1])):
        raise DefinitionError(f"There is a location '{new.name}' already.")
    if folder.exists():
        raise DefinitionError(f"{folder} is there already, and no location; remove it, or choose another name.")


@contextmanager
def _scratch_beside(folder: Path) -> Iterator[Path]:
    """A hidden folder at the same depth, so that paths in it are right when it gets its name."""
    scratch = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)  # of one that was killed
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(new: NewLocation, folder: Path, repository: Path) -> None:
    platform = tomllib.loads((repository / "pyproject.toml").read_text())
    constraints = platform.get("tool", {}).get("uv", {}).get("constraint-dependencies", [])
    for path, text in texts(new, constraints).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(text)
    os.replace(scratch, path)
