"""The store: files below one root, written once, sealed with size and checksum, verified when read."""

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import xxhash

from platform_core.catalog.values import StoredFile, Version, is_version_id
from platform_core.errors import CorruptVersionError, SettingsError

CHUNK = 4 * 1024 * 1024


@lru_cache(maxsize=8)
def open_store(location: str) -> "Store":
    """The store at a location; one per process, so that what was verified once is remembered."""
    if "://" in location:
        raise SettingsError(f"HEADRACE_STORE: '{location}' is not supported yet; name a folder.")
    return Store(Path(location))


class Store:
    """Files in a local folder. Keys are relative, with `/` between folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: set[tuple[str, int, int]] = set()

    def path(self, key: str) -> Path:
        return self.root / key

    def new_folder(self, key: str) -> Path:
        """An empty folder for the files of a new version. Nobody sees them before the catalog says so."""
        folder = self.path(key)
        folder.mkdir(parents=True)
        return folder

    def discard(self, key: str) -> None:
        """Removes what an interrupted write left behind; never called for a committed version."""
        shutil.rmtree(self.path(key), ignore_errors=True)

    def seal(self, key: str) -> tuple[StoredFile, ...]:
        """Makes the files of a folder durable and notes what they are. They are never written to again."""
        folder = self.path(key)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sealed = tuple(
            StoredFile(path.relative_to(self.root).as_posix(), path.stat().st_size, _checksum(path)) for path in files
        )
        for path in (*files, folder, folder.parent):
            _flush(path)
        return sealed

    def version_folders(self) -> Iterator[tuple[str, datetime]]:
        """The key of every folder that was made for a version, and when something in it was last written."""
        for folder, _, files in os.walk(self.root):
            if is_version_id(Path(folder).name):
                newest = max(Path(folder, name).stat().st_mtime for name in (".", *files))
                yield Path(folder).relative_to(self.root).as_posix(), datetime.fromtimestamp(newest, UTC)

    def verified_paths(self, version: Version) -> list[Path]:
        """The files of a version, each of the committed size and checksum; otherwise an error that names it."""
        return [self._verify(version, file) for file in version.files]

    def _verify(self, version: Version, file: StoredFile) -> Path:
        path = self.path(file.key)
        try:
            status = path.stat()
        except FileNotFoundError:
            raise _corrupt(version, path, "is missing") from None
        seen = (file.key, status.st_size, status.st_mtime_ns)
        if seen in self._verified:
            return path
        if status.st_size != file.size:
            raise _corrupt(version, path, f"has {status.st_size} bytes instead of {file.size}")
        if _checksum(path) != file.checksum:
            raise _corrupt(version, path, "has another content than the one that was written")
        self._verified.add(seen)
        return path


def content_version(files: Iterable[StoredFile]) -> str:
    """A text that is equal for equal contents, whatever the files are called."""
    return xxhash.xxh3_128_hexdigest("".join(file.checksum for file in files).encode())


def _corrupt(version: Version, path: Path, what: str) -> CorruptVersionError:
    return CorruptVersionError(
        f"Version {version.label} cannot be read: its file {path} {what}."
        f" Materialise {version.asset} again, or read an older version (`headrace versions {version.asset}`)."
    )


def _checksum(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return f"xxh3:{digest.hexdigest()}"


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
