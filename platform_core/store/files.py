"""Files of versions in a local folder, each proven once by size and checksum."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from platform_core.catalog.values import StoredFile, Version, is_version_id
from platform_core.store.checksums import checksum
from platform_core.store.store import corrupt

CHECKSUMS = 4  # at once


class LocalFiles:
    """A folder with the files of versions, and which of them this process knows to be sound."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: set[tuple[str, int, int, int]] = set()

    def path(self, key: str) -> Path:
        return self.root / key

    def holds(self, file: StoredFile) -> bool:
        """Whether a file is here and sound."""
        path = self.path(file.key)
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        if state_of(file.key, status) in self._verified:
            return True
        sound = status.st_size == file.size and checksum(path) == file.checksum
        if sound:
            self._verified.add(state_of(file.key, status))
        return sound

    def verified_paths(self, version: Version) -> list[Path]:
        unknown = [file for file in version.files if not self._is_verified(version, file)]
        if unknown:
            with ThreadPoolExecutor(min(CHECKSUMS, len(unknown))) as pool:
                _complete(pool.map(lambda file: self._verify(version, file), unknown))
        return [self.path(file.key) for file in version.files]

    def version_folders(self) -> Iterator[tuple[str, datetime]]:
        for folder, _, files in os.walk(self.root):
            if is_version_id(Path(folder).name):
                written = list(_written(Path(folder), *(Path(folder, name) for name in files)))
                if written:
                    yield Path(folder).relative_to(self.root).as_posix(), datetime.fromtimestamp(max(written), UTC)

    def trust(self, file: StoredFile) -> None:
        """Notes that the content of a file, as it is now, was proven by whoever put it here."""
        self._verified.add(state_of(file.key, self.path(file.key).stat()))

    def _is_verified(self, version: Version, file: StoredFile) -> bool:
        """Whether this process knows the content of the file, which must at least be there in its full size."""
        path = self.path(file.key)
        try:
            status = path.stat()
        except FileNotFoundError:
            raise corrupt(version, path, "is missing") from None
        if status.st_size != file.size:
            raise corrupt(version, path, f"has {status.st_size} bytes instead of {file.size}")
        return state_of(file.key, status) in self._verified

    def _verify(self, version: Version, file: StoredFile) -> None:
        path = self.path(file.key)
        status = path.stat()  # before reading: what is changed meanwhile is read again the next time
        if checksum(path) != file.checksum:
            raise corrupt(version, path, "has another content than the one that was written")
        self._verified.add(state_of(file.key, status))


def state_of(key: str, status: os.stat_result) -> tuple[str, int, int, int]:
    return key, status.st_size, status.st_mtime_ns, status.st_ino


def _written(*paths: Path) -> Iterator[float]:
    """When each was last written, unless somebody has removed it meanwhile."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path.stat().st_mtime


def _complete(results: Iterable[None]) -> None:
    for _ in results:
        pass
