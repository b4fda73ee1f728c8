"""A store in a folder of this machine, or of a file system that it shares with others."""

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from platform_core.catalog.values import StoredFile, Version, is_version_id
from platform_core.store.checksums import checksum
from platform_core.store.durable import flush, link
from platform_core.store.names import moved_key
from platform_core.store.store import Store, corrupt

# Flushes that wait at the same time share one commit of the file system's journal: here 1 ms instead of 6 to 10.
FLUSHES = 8
CHECKSUMS = 4


class LocalStore(Store):
    """Files in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: set[tuple[str, int, int, int]] = set()
        self._durable: set[tuple[Path, int]] = set()  # folders whose own entry is on the disk, by which inode

    def path(self, key: str) -> Path:
        return self.root / key

    def uri(self, key: str) -> str:
        return str(self.path(key))

    def new_folder(self, key: str) -> Path:
        folder = self.path(key)
        folder.mkdir(parents=True)
        return folder

    def discard(self, key: str) -> None:
        shutil.rmtree(self.path(key), ignore_errors=True)

    def seal(self, key: str) -> tuple[StoredFile, ...]:
        folder = self.path(key)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        above = {path: _inode(path) for path in self._above(folder)}
        new_entries = {path.parent for path, inode in above.items() if inode not in self._durable}
        with ThreadPoolExecutor(FLUSHES) as pool:
            changed = {*_folders_within(folder, files), folder.parent, *new_entries}
            flushed = [pool.submit(flush, path) for path in (*files, *changed)]
            sealed = tuple(map(self._describe, files))
            for each in flushed:
                each.result()
        self._durable.update(above.values())
        return sealed

    def _above(self, folder: Path) -> Iterator[Path]:
        """The folders of the store around a folder, which may be as new as it is; the root is not."""
        return takewhile(lambda path: path != self.root, folder.parents)

    def adopt(self, version: Version, key: str) -> tuple[StoredFile, ...]:
        """By hard links: two names of the same bytes, each of which stays when the other goes."""
        paths, folder = self.verified_paths(version), self.new_folder(key)
        adopted = tuple(replace(file, key=moved_key(file.key, version.id, key)) for file in version.files)
        for source, file in zip(paths, adopted, strict=True):
            target = self.path(file.key)
            target.parent.mkdir(parents=True, exist_ok=True)
            link(source, target)
        within = _folders_within(folder, [self.path(file.key) for file in adopted])
        for place in (*within, *self._above(folder), self.root):
            flush(place)
        return adopted

    def _describe(self, path: Path) -> StoredFile:
        status = path.stat()
        file = StoredFile(path.relative_to(self.root).as_posix(), status.st_size, checksum(path))
        self._verified.add(_state(file.key, status))
        return file

    def prove(self, version: Version) -> None:
        for file in version.files:
            self._is_verified(version, file)  # is there, and whole
            self._verify(version, file)

    def copied_paths(self, version: Version) -> list[Path]:
        from platform_core.store.mirror import current_mirror

        self.verified_paths(version)
        return current_mirror().paths(version, lambda file, path: self._copy(version, file, path))

    def _copy(self, version: Version, file: StoredFile, target: Path) -> None:
        shutil.copyfile(self.path(file.key), target)
        if checksum(target) != file.checksum:
            raise corrupt(version, self.path(file.key), "changed while it was copied")

    def holds(self, file: StoredFile) -> bool:
        """Whether a file is here and sound."""
        path = self.path(file.key)
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        if _state(file.key, status) in self._verified:
            return True
        sound = status.st_size == file.size and checksum(path) == file.checksum
        if sound:
            self._verified.add(_state(file.key, status))
        return sound

    def version_folders(self) -> Iterator[tuple[str, datetime]]:
        for folder, _, files in os.walk(self.root):
            if is_version_id(Path(folder).name):
                written = list(_written(Path(folder), *(Path(folder, name) for name in files)))
                if written:
                    yield Path(folder).relative_to(self.root).as_posix(), datetime.fromtimestamp(max(written), UTC)

    def verified_paths(self, version: Version) -> list[Path]:
        unknown = [file for file in version.files if not self._is_verified(version, file)]
        if unknown:
            with ThreadPoolExecutor(min(CHECKSUMS, len(unknown))) as pool:
                _complete(pool.map(lambda file: self._verify(version, file), unknown))
        return [self.path(file.key) for file in version.files]

    def _is_verified(self, version: Version, file: StoredFile) -> bool:
        """Whether this process knows the content of the file, which must at least be there in its full size."""
        path = self.path(file.key)
        try:
            status = path.stat()
        except FileNotFoundError:
            raise corrupt(version, path, "is missing") from None
        if status.st_size != file.size:
            raise corrupt(version, path, f"has {status.st_size} bytes instead of {file.size}")
        return _state(file.key, status) in self._verified

    def trust(self, file: StoredFile) -> None:
        """Notes that the content of a file, as it is now, was proven by whoever put it here."""
        self._verified.add(_state(file.key, self.path(file.key).stat()))

    def _verify(self, version: Version, file: StoredFile) -> None:
        path = self.path(file.key)
        status = path.stat()  # before reading: what is changed meanwhile is read again the next time
        if checksum(path) != file.checksum:
            raise corrupt(version, path, "has another content than the one that was written")
        self._verified.add(_state(file.key, status))


def _state(key: str, status: os.stat_result) -> tuple[str, int, int, int]:
    return key, status.st_size, status.st_mtime_ns, status.st_ino


def _folders_within(folder: Path, files: Iterable[Path]) -> set[Path]:
    """A folder and those in it: an entry is durable only when the folder that holds it is."""
    return {folder, *(parent for file in files for parent in takewhile(lambda path: path != folder, file.parents))}


def _written(*paths: Path) -> Iterator[float]:
    """When each was last written, unless somebody has removed it meanwhile."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path.stat().st_mtime


def _complete(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _inode(path: Path) -> tuple[Path, int]:
    return path, path.stat().st_ino
