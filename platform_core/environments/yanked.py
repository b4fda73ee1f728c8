"""Whether the index has withdrawn a version that a lock file pins. Asked once a day, by uv."""

import hashlib
import json
import re
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from platform_core.environments.lock import Lock
from platform_core.environments.project import PLATFORM, Project
from platform_core.environments.uv import run_uv_telling
from platform_core.errors import FrozenError
from platform_core.settings import current_settings

FRESH = 24 * 3600  # seconds for which an answer counts
_YANKED = re.compile(r"`(?P<name>[^`=]+)==(?P<version>[^`]+)` is yanked(?: \(reason: \"(?P<reason>.*)\"\))?")


@dataclass(frozen=True)
class Withdrawn:
    """A version that its index has withdrawn, with the reason where one was given."""

    name: str
    version: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}" + (f" ({self.reason})" if self.reason else "")


def withdrawn(project: Project) -> tuple[Withdrawn, ...]:
    """The locked versions of a location that were withdrawn, as an index said today.

    Raises:
        FrozenError: the index cannot be asked.
    """
    path = current_settings().home / "yanked" / f"{_state(project)}.json"
    known = _read(path)
    if known is None:
        known = _ask(project)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(item) for item in known]))
    return known


def _state(project: Project) -> str:
    return hashlib.sha256(project.lock.read_bytes()).hexdigest()[:12]


def _read(path: Path) -> tuple[Withdrawn, ...] | None:
    try:
        if path.stat().st_mtime + FRESH > time.time():
            return tuple(Withdrawn(**said) for said in json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        pass  # as if it had never been asked
    return None


def _ask(project: Project) -> tuple[Withdrawn, ...]:
    doing = f"The index cannot be asked whether what {project.name} locks was withdrawn"
    indexes = sorted({package.index for package in Lock(project.lock).packages if package.index})
    if not indexes:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "pinned.txt"
        _write_pinned(project, pinned, doing)
        told = run_uv_telling(
            *("pip", "compile", "--no-deps", "--no-header", "--directory", folder, str(pinned)),
            *(part for index in indexes[1:] for part in ("--index", index)),
            *("--default-index", indexes[0]),
            doing=doing,
        )
    return tuple(Withdrawn(**{k: v or "" for k, v in found.groupdict().items()}) for found in _YANKED.finditer(told))


def _write_pinned(project: Project, path: Path, doing: str) -> None:
    """Writes what the lock pins for this machine; where extras exclude each other, without extras."""
    arguments = ["export", "--frozen", "--no-hashes", "--no-header", "--no-annotate", "--no-emit-package", PLATFORM]
    arguments += ["--project", str(project.folder), "--output-file", str(path)]
    try:
        run_uv_telling(*arguments, "--all-extras", "--all-groups", doing=doing)
    except FrozenError:
        run_uv_telling(*arguments, doing=doing)
