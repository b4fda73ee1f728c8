"""A store in a folder of this machine, or of a file system that it shares with others."""

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from platform_core.catalog.values import StoredFile, Version
from platform_core.store.checksums import checksum
from platform_core.store.durable import flush, link
from platform_core.store.files import LocalFiles, state_of
from platform_core.store.mirror import current_mirror
from platform_core.store.names import moved_key
from platform_core.store.store import Store, corrupt

# Flushes that wait at the same time share one commit of the file system's journal: here 1 ms instead of 6 to 10.
FLUSHES = 8


class LocalStore(LocalFiles, Store):
    """Files in a local folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._durable: set[tuple[Path, int]] = set()  # folders whose own entry is on the disk, by which inode

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
        self._verified.add(state_of(file.key, status))
        return file

    def prove(self, version: Version) -> None:
        for file in version.files:
            self._is_verified(version, file)  # is there, and whole
            self._verify(version, file)

    def copied_paths(self, version: Version) -> list[Path]:
        self.verified_paths(version)
        return current_mirror().paths(version, lambda file, path: self._copy(version, file, path))

    def _copy(self, version: Version, file: StoredFile, target: Path) -> None:
        shutil.copyfile(self.path(file.key), target)
        if checksum(target) != file.checksum:
            raise corrupt(version, self.path(file.key), "changed while it was copied")


def _folders_within(folder: Path, files: Iterable[Path]) -> set[Path]:
    """A folder and those in it: an entry is durable only when the folder that holds it is."""
    return {folder, *(parent for file in files for parent in takewhile(lambda path: path != folder, file.parents))}


def _inode(path: Path) -> tuple[Path, int]:
    return path, path.stat().st_ino
