"""Lock files: what is in them, and what must not be."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from platform_core.environments.marker import normal
from platform_core.environments.project import PLATFORM
from platform_core.errors import FrozenError, listed


@dataclass(frozen=True)
class Locked:
    """One package of a lock file. `source` is where it comes from, as uv writes it: `{"registry": "https://…"}`."""

    name: str
    version: str
    source: dict[str, Any]
    files: tuple[dict[str, Any], ...]

    @property
    def index(self) -> str:
        """The package index it comes from; empty for any other source."""
        return str(self.source.get("registry", ""))

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class Lock:
    """A location's `uv.lock`."""

    path: Path

    @cached_property
    def packages(self) -> tuple[Locked, ...]:
        """All packages but the location itself.

        Raises:
            FrozenError: it is not a lock file.
        """
        try:
            entries = tomllib.loads(self._text())["package"]
            return tuple(_locked(entry) for entry in entries if "virtual" not in entry["source"])
        except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
            raise FrozenError(
                f"{self.path} is no lock file that can be read ({type(error).__name__}: {error}); make it again with:"
                f" uv lock --project {self.path.parent}"
            ) from error

    def _text(self) -> str:
        try:
            return self.path.read_text()
        except FileNotFoundError as error:
            folder = self.path.parent
            raise FrozenError(
                f"Location {folder.name} has no lock file; make it with: uv lock --project {folder}"
            ) from error

    def problems(self) -> Iterator[str]:
        """Sentences about what makes it less than frozen."""
        for package in self.packages:
            if reason := _loose(package):
                yield f"{self.path}: {package} {reason}."
        if bare := [str(package) for package in self.packages if any("hash" not in file for file in package.files)]:
            yield (
                f"{self.path}: there are files without a hash, in whose place anything could be installed, of"
                f" {listed(bare)}; lock again with: uv lock --project {self.path.parent}"
            )

    def require_hashes(self) -> None:
        """Raises when a file has no hash. It takes a millisecond: runs ask for it before their first step."""
        lines = self._text().splitlines()
        if any("url = " in line and "hash = " not in line for line in lines):
            self.require_frozen()

    def require_frozen(self) -> None:
        """Raises when something in it could be different tomorrow."""
        for problem in self.problems():
            raise FrozenError(problem)


def _locked(entry: dict[str, Any]) -> Locked:
    files = [*entry.get("wheels", []), *([entry["sdist"]] if "sdist" in entry else [])]
    return Locked(normal(entry["name"]), entry.get("version", ""), entry["source"], tuple(files))


def _loose(package: Locked) -> str:
    """Why a package could change without its lock; nothing when it could not."""
    source = package.source
    if package.name == PLATFORM or package.index:
        return "" if package.files or not package.index else "has no files in the lock, so that nothing pins it"
    if "git" in source:
        return "" if "#" in source["git"] else "comes from git without a commit; pin it with rev = ..."
    if "url" in source:
        return ""  # its hash is looked at with those of all files
    folder = next((source[kind] for kind in ("editable", "directory", "path") if kind in source), None)
    return f"comes from the folder {folder}, which no lock pins; publish it, or name a commit of its repository"
