"""Which locations a change touches: from who imports whom, and from each location's own files."""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from platform_core.environments.imports import Graph, reached, read_imports, with_packages
from platform_core.errors import FrozenError
from platform_core.locations import all_locations
from platform_core.settings import current_settings

PACKAGES = ("platform_core", "resources", "code_locations")
# What is started by name and not imported: a location's process, and a step elsewhere.
_STARTED = ("platform_core.runner.__main__", "platform_core.compute.worker", "platform_core.environments.images.inside")
_EVERYWHERE = ("dagster.yaml", "deploy/images/", ".python-version")
_DBT, _DBT_CODE = "dbt_project/", "platform_core.dbt"


def changed_locations(revision: str) -> dict[str, list[str]]:
    """The locations that something changed for since a git revision, uncommitted edits included, each with the files.

    Raises:
        FrozenError: git does not know the revision, or grimp is not installed.
    """
    root = current_settings().repository
    names = [location.name for location in all_locations()]
    files = changed_files(root, revision)
    touched = Touched(_graph(root), names)
    found = {name: touched.by(name, files) for name in names}
    return {name: files for name, files in found.items() if files}


def _graph(root: Path) -> Graph:
    try:
        return read_imports(root, [name for name in PACKAGES if (root / name / "__init__.py").is_file()])
    except RuntimeError as error:
        raise FrozenError(
            f"Who imports whom cannot be read in {root}: {error} (`make install` brings grimp)."
        ) from error


def changed_files(root: Path, revision: str) -> list[str]:
    """Files that differ from the point where this checkout left a revision, and files that git does not know yet."""
    base = _git(root, "merge-base", revision, "HEAD", revision=revision).strip()
    changed = _git(root, "diff", "--name-only", "-z", "--no-renames", base, revision=revision)
    new = _git(root, "ls-files", "-z", "--others", "--exclude-standard", revision=revision)
    return sorted(set(filter(None, f"{changed}\0{new}".split("\0"))))


def _git(root: Path, *arguments: str, revision: str) -> str:
    try:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise FrozenError("git is not installed, so that nobody knows what changed.") from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().partition("\n")[0].removeprefix("fatal: ").rstrip(".")
        raise FrozenError(f"What changed since '{revision}' cannot be told: {reason or 'no common commit'}.") from error


class Touched:
    """Tells which changed files matter to which location.

    Args:
        graph: by module what it imports.
    """

    def __init__(self, graph: Graph, locations: Iterable[str]) -> None:
        self._graph = graph
        self._reached = {location: reached(graph, self._starts(location)) for location in locations}

    def _starts(self, location: str) -> Iterator[str]:
        """The modules of a location that are not for its tests, and what its processes are started with."""
        own = f"code_locations.{location}"
        of_tests = f"{own}.tests"
        for module in self._graph:
            if with_prefix(module, own) and not with_prefix(module, of_tests):
                yield module
        yield from (module for module in _STARTED if module in self._graph)

    def by(self, location: str, files: Iterable[str]) -> list[str]:
        """Those of some files that a location's environment or code depends on."""
        return [file for file in files if self._matters(location, file)]

    def _matters(self, location: str, file: str) -> bool:
        folder = f"code_locations/{location}/"
        if file.startswith(folder):
            return not file.startswith(f"{folder}tests/")
        if file.startswith(_EVERYWHERE):
            return True
        if file.startswith("code_locations/") and file.count("/") > 1:
            return False  # another location's
        if file.startswith(_DBT):
            return _DBT_CODE in self._reached[location]
        return self._module_of(file) in self._reached[location]

    def _module_of(self, file: str) -> str:
        """The module that a file is; for one that is none (a migration, a template, one that is gone) its package."""
        path = PurePosixPath(file)
        if path.parts[0] not in PACKAGES:
            return ""
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        return next((known for known in reversed([*with_packages(name)]) if known in self._graph), "")


def with_prefix(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
