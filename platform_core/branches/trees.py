"""What a location's definitions are made of, as a hash: of the files in a checkout, edits included, or of a commit."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from platform_core.branches.git import printed

Blobs = Mapping[str, str]  # by path what git calls the content
# What no definition is made of.
_BESIDE = ("docs/", "tests/", "benchmarks/", "deploy/", ".github/", ".ci/")
_LOCATIONS = "code_locations/"


def blobs_at(repository: Path, commit: str) -> dict[str, str]:
    """The files of a commit; none where git does not have it."""
    lines = printed(repository, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
    found = (line.partition("\t") for line in lines if line)
    return {path: told.split()[2] for told, _, path in found}


def blobs_here(repository: Path) -> dict[str, str]:
    """The files of a checkout as they are now, those that git was never told of included, but not what it ignores.

    None outside a git repository.
    """
    lines = printed(repository, "ls-files", "--stage", "-z").split("\0")
    found = {path: told.split()[1] for told, _, path in (line.partition("\t") for line in lines if line)}
    status = printed(repository, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all").split("\0")
    for path in (entry[3:] for entry in status if entry):
        found.pop(path, None)
        if content := _content(repository / path):
            found[path] = content
    return found


def _content(path: Path) -> str:
    """What git would call the content of a file; empty where there is none."""
    if path.is_symlink():
        data = os.readlink(path).encode()
    elif path.is_file():
        data = path.read_bytes()
    else:
        return ""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def digest_of(location: str, blobs: Blobs) -> str:
    """What changes with whatever the definitions of a location may be made of; empty where nothing is known."""
    lines = sorted(f"{path}\0{blob}" for path, blob in blobs.items() if _counts(path, location))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else ""


def _counts(path: str, location: str) -> bool:
    """Locations never import each other, so that another one's files do not count."""
    if path.startswith(_BESIDE):
        return False
    inside = path.removeprefix(_LOCATIONS)
    if inside == path or "/" not in inside:
        return True
    owner, _, rest = inside.partition("/")
    return owner == location and not rest.startswith("tests/")
