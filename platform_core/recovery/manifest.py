"""What a backup says of itself: what is in it, of which release, and that it is whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from platform_core.errors import RecoveryError

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's own description.

    Args:
        catalog, dagster: `sqlite` or `postgresql`: where each was, and has to be put again.
        revision: of the catalog's tables.
        store: where the files are that the catalog speaks of; they are not in the backup.
        files: by path the SHA-256 of each file of the backup.
    """

    made_at: str
    catalog: str
    dagster: str
    revision: str
    store: str
    files: Mapping[str, str]


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Writes the manifest of a folder that is complete. A backup without one was interrupted."""
    files = {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    whole = Manifest(**{**asdict(manifest), "files": files})
    (folder / NAME).write_text(json.dumps(asdict(whole), indent=2))
    return whole


def opened(folder: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        RecoveryError: it is none, was interrupted, or a file is not what it was.
    """
    try:
        manifest = Manifest(**json.loads((folder / NAME).read_text()))
    except FileNotFoundError:
        raise RecoveryError(f"{folder} is no complete backup: it has no {NAME}.") from None
    except (ValueError, TypeError) as error:
        raise RecoveryError(f"{folder / NAME} cannot be read: {error}.") from error
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.is_file() or _digest(path) != digest:
            raise RecoveryError(f"{path} is not what was backed up; take another backup.")
    return manifest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
