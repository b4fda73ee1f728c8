"""Asks locations what tells whether the values of their assets would be other ones, and remembers what they said."""

import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platform_core.branches.git import file_at
from platform_core.branches.trees import Blobs, blobs_at, blobs_here, digest_of
from platform_core.branches.worktrees import worktree_of
from platform_core.cli.console import errors
from platform_core.cli.conversation import converse
from platform_core.environments.environment import this_platform
from platform_core.errors import DefinitionError
from platform_core.locations import Location, all_locations, locations_in
from platform_core.settings import Settings, as_if_in

Fingerprints = dict[str, dict[str, Any]]
FORMAT = 2  # of what is remembered
KEEP = 30 * 24 * 3600  # seconds after which what nobody asked for is forgotten


def fingerprints_of(
    settings: Settings, variables: Mapping[str, str], *, locations: Collection[str] | None = None, hourly: bool = True
) -> Fingerprints:
    """By asset what its location tells, of the code that these variables name.

    A location is loaded only where its files are others than at any time before, and else once an hour.

    Args:
        locations: only these; by default all.
        hourly: False where it does not matter which partitions there are by now.
    """
    repository = Path(variables["HEADRACE_REPOSITORY"])
    with as_if_in(dict(variables)):
        wanted = [item for item in all_locations() if locations is None or item.name in locations]
        files = blobs_here(repository)
        known = dict(_known(settings, wanted, files, hourly))
        missing = [item for item in wanted if item.name not in known]
        found = dict(_asked_together(missing))
    if missing and files and blobs_here(repository) == files:  # else somebody edited them meanwhile
        for name, told in found.items():
            _keep(settings, name, files, told)
    return _joined(known | found)


def fingerprints_at(settings: Settings, commit: str) -> Fingerprints:
    """The same of a commit, which is checked out only where a location has to be loaded."""
    workspace = file_at(settings.repository, commit, "workspace.yaml")
    if workspace:
        wanted = locations_in(workspace, settings.repository)
        known = dict(_known(settings, wanted, blobs_at(settings.repository, commit), hourly=True))
        if len(known) == len(wanted):
            return _joined(known)
    with worktree_of(settings, commit, lambda line: errors.print(f"[dim]{line}[/]", highlight=False)) as folder:
        return fingerprints_of(settings, code_of(settings, folder))


def code_of(settings: Settings, folder: Path) -> dict[str, str]:
    """Settings for processes that run the code of a folder."""
    return {"HEADRACE_HOME": str(settings.home), "HEADRACE_REPOSITORY": str(folder), "PYTHONPATH": str(folder)}


def _joined(told: Mapping[str, Fingerprints]) -> Fingerprints:
    return {asset: description for assets in told.values() for asset, description in assets.items()}


def _known(
    settings: Settings, locations: Sequence[Location], files: Blobs, hourly: bool
) -> Iterator[tuple[str, Fingerprints]]:
    """What is remembered of the same files."""
    for item in locations if files else ():
        path = _path(settings, item.name, files)
        with suppress(OSError, ValueError):  # nothing is, or it was cut off
            kept = json.loads(path.read_text())
            if not hourly or kept["hour"] == _hour() or not _has_partitions(kept["assets"]):
                os.utime(path)
                yield item.name, kept["assets"]


def _has_partitions(assets: Fingerprints) -> bool:
    return any(told["keys"] for told in assets.values())


def _keep(settings: Settings, location: str, files: Blobs, told: Fingerprints) -> None:
    path = _path(settings, location, files)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps({"hour": _hour(), "assets": told}))
    scratch.replace(path)
    for old in path.parent.iterdir():
        with suppress(OSError):  # another process was quicker
            if old.stat().st_mtime < time.time() - KEEP:
                old.unlink()


def _path(settings: Settings, location: str, files: Blobs) -> Path:
    name = f"{location}-{FORMAT}-{this_platform()}-{digest_of(location, files)}.json"
    return settings.home / "branches" / "fingerprints" / name


def _hour() -> str:
    return f"{datetime.now(UTC):%Y%m%d%H}"


def _asked_together(locations: Sequence[Location]) -> Iterator[tuple[str, Fingerprints]]:
    """Each is loaded by an interpreter of its own, side by side."""
    with ThreadPoolExecutor(max_workers=max(os.cpu_count() or 1, 1)) as pool:
        yield from zip([item.name for item in locations], pool.map(_asked, locations), strict=True)


def _asked(location: Location) -> Fingerprints:
    answer: Fingerprints | None = None
    reason = "it ended without an answer"
    for message in converse(location, verb="fingerprint"):
        if message["kind"] == "fingerprinted":
            answer = message["assets"]
        elif message["kind"] == "refused":
            reason = message["sentence"]
    if answer is None:
        raise DefinitionError(f"Location {location.name} cannot be loaded: {reason}")
    return answer
