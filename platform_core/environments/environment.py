"""`Environment`: what a step runs with, as a value. Its hash names the venv here and the image elsewhere."""

import hashlib
import json
import os
import platform
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from platform_core.environments.project import project_of
from platform_core.errors import FrozenError
from platform_core.settings import current_settings

DIGITS = 12
VARIABLE = "HEADRACE_ENVIRONMENT"  # what a step was planned for: `flights+train:1f3a9c1b2d04`


@dataclass(frozen=True)
class Environment:
    """The frozen dependencies of a location, with the extras that a step asks for.

    Args:
        lock: the SHA-256 of the location's `uv.lock`.
        extras: extras and dependency groups, each once, sorted.
        python: the interpreter as `.python-version` writes it, such as `3.11`.
        platform: system and processor, such as `linux-x86_64`.
        system_packages: what it needs of the distribution of its image.
        headrace: the platform's own version.
    """

    location: str
    lock: str
    extras: tuple[str, ...]
    python: str
    platform: str
    system_packages: tuple[str, ...]
    headrace: str

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits, the same in every process on every machine."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]

    @property
    def identity(self) -> dict[str, Any]:
        """What is written into whatever was made for it."""
        return {"environment": self.hash, "location": self.location, "extras": self.extras, "lock": self.lock}

    @property
    def plan(self) -> str:
        """What a step's process is told in `HEADRACE_ENVIRONMENT`."""
        return f"{'+'.join((self.location, *self.extras))}:{self.hash}"

    def __str__(self) -> str:
        """For people: `flights+train (1f3a9c1b2d04)`."""
        return f"{'+'.join((self.location, *self.extras))} ({self.hash})"


@dataclass(frozen=True)
class Plan:
    """What `HEADRACE_ENVIRONMENT` says: of which environment a process is to be. An empty hash: none was planned."""

    location: str
    extras: tuple[str, ...]
    hash: str

    @classmethod
    def from_text(cls, text: str) -> "Plan":
        names, _, digits = text.partition(":")
        location, *extras = names.split("+")
        return cls(location, tuple(extras), digits)


def environment_of(
    location: str,
    extras: Iterable[str] = (),
    *,
    repository: Path | None = None,
    platform: str = "",
) -> Environment:
    """The environment of a location as its files are now.

    Args:
        repository: another checkout than the one of this process.
        platform: another one than this machine's, such as that of an image.

    Raises:
        FrozenError: no lock file, an extra that does not exist, a pyproject.toml that cannot be read.
    """
    root = repository or current_settings().repository
    folder = root / "code_locations" / location
    seen = tuple(_seen(path) for path in (folder / "uv.lock", folder / "pyproject.toml", root / "pyproject.toml"))
    return _environment(location, tuple(extras), root, platform or this_platform(), _python(folder, root), seen)


@lru_cache(maxsize=64)  # a run asks for each of its steps
def _environment(
    location: str, extras: tuple[str, ...], root: Path, platform: str, python: str, _seen: tuple[object, ...]
) -> Environment:
    project = project_of(location, root)
    return Environment(
        location=location,
        lock=_hash_of_lock(project.lock),
        extras=project.normalised(extras),
        python=python,
        platform=platform,
        system_packages=project.system_packages,
        headrace=platform_version(root),
    )


def _seen(path: Path) -> object:
    """What tells a file from what it was before, without reading it."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _hash_of_lock(lock: Path) -> str:
    try:
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise FrozenError(
            f"Location {lock.parent.name} has no lock file, so that its environment is anybody's guess; make it with:"
            f" uv lock --project {lock.parent}"
        ) from error


def platform_version(root: Path) -> str:
    """The version of the platform in a checkout; empty where it was installed without one."""
    try:
        return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])
    except (FileNotFoundError, KeyError):
        return ""


def this_platform() -> str:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    musl = "-musl" if sys.platform == "linux" and Path(f"/lib/ld-musl-{machine}.so.1").exists() else ""
    return f"{sys.platform}-{machine}{musl}"


def _python(folder: Path, root: Path) -> str:
    """The interpreter that the nearest `.python-version` names, as uv looks for it; else this one's release."""
    for place in (folder, *folder.parents):
        path = place / ".python-version"
        if path.is_file() and (found := re.search(r"\d+\.\d+(\.\d+)?", path.read_text())):
            return found[0]
        if place == root:
            break
    return f"{sys.version_info[0]}.{sys.version_info[1]}"
