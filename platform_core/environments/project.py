"""What a location's pyproject.toml says of its environment."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform_core.environments.marker import normal
from platform_core.errors import FrozenError, did_you_mean, listed
from platform_core.settings import current_settings

PLATFORM = "headrace"  # the distribution that every location depends on by path
_DEVELOPMENT = "dev"  # the group that tests need, which no step runs with
_SYSTEM_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+(=[A-Za-z0-9.:~+-]+)?")


@dataclass(frozen=True)
class Project:
    """One location as a project of its own.

    Args:
        extras: names of `[project.optional-dependencies]`.
        groups: names of `[dependency-groups]`, without the one for development.
        system_packages: what images need of their distribution, from `[tool.headrace]`.
    """

    folder: Path
    name: str
    owner: str
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    system_packages: tuple[str, ...]

    @property
    def lock(self) -> Path:
        return self.folder / "uv.lock"

    def arguments_for(self, names: Iterable[str]) -> list[str]:
        """Arguments of uv that choose extras and groups by their names, and nothing else.

        Raises:
            FrozenError: the location has no extra or group of that name.
        """
        chosen = ["--no-default-groups"]
        for name in self.normalised(names):
            chosen += ["--extra" if name in self.extras else "--group", name]
        return chosen

    def normalised(self, names: Iterable[str]) -> tuple[str, ...]:
        """Names of extras and groups, each once, in the order and spelling in which they count.

        Raises:
            FrozenError: the location has no extra or group of that name.
        """
        known = (*self.extras, *self.groups)
        wanted = sorted({normal(name) for name in names})
        for name in wanted:
            if name not in known:
                raise FrozenError(
                    f"Location {self.name} has no extra '{name}'; it has: {listed(known) or 'none'}."
                    f"{did_you_mean(name, known)} Add it below [project.optional-dependencies] in"
                    f" {self.folder / 'pyproject.toml'}, and lock again."
                )
        return tuple(wanted)


def project_of(location: str, repository: Path | None = None) -> Project:
    """The project of a location.

    Raises:
        FrozenError: its pyproject.toml is missing or says something that cannot be.
    """
    folder = (repository or current_settings().repository) / "code_locations" / location
    return read_project(folder)


def read_project(folder: Path) -> Project:
    path = folder / "pyproject.toml"
    try:
        text = tomllib.loads(path.read_text())
        project, tool = text["project"], text.get("tool", {})
        extras, groups = dict(project.get("optional-dependencies", {})), dict(text.get("dependency-groups", {}))
        return Project(
            folder=folder,
            name=project["name"],
            owner=tool.get("headrace", {}).get("owner", ""),
            extras=tuple(sorted(map(normal, extras))),
            groups=tuple(sorted({normal(name) for name in groups} - {_DEVELOPMENT})),
            system_packages=_system_packages(path, tool.get("headrace", {}).get("system-packages", [])),
        )
    except FileNotFoundError as error:
        raise FrozenError(f"{folder.name} is no location: {path} does not exist.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FrozenError(f"{path} cannot be read ({type(error).__name__}: {error}).") from error


def _system_packages(path: Path, said: Any) -> tuple[str, ...]:
    names = tuple(said) if isinstance(said, list) else (said,)
    for name in names:
        if not isinstance(name, str) or not _SYSTEM_PACKAGE.fullmatch(name):
            raise FrozenError(
                f"{path}: system-packages is a list of names of Debian packages, such as"
                f' ["libgomp1"]; {name!r} is none.'
            )
    return tuple(sorted(set(names)))
