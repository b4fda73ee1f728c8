"""Files of a remote store on this machine: downloaded once, whole, proven by size and checksum."""

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock

from platform_core.catalog.values import StoredFile, Version, is_version_id
from platform_core.settings import current_settings
from platform_core.store.files import LocalFiles

# Somebody may still work with a file that was downloaded some time ago.
SPARED_SECONDS = 24 * 3600
# How often all copies are looked at while as much is downloaded as may be kept.
LOOKS = 16

# Puts a file there, or raises when it is not the one that was committed.
Download = Callable[[StoredFile, Path], None]


def current_mirror() -> "Mirror":
    """Half of the cache; without a cache, a folder that goes with this process."""
    settings = current_settings()
    if not settings.cache_bytes:
        return _passing_mirror()
    return _mirror(settings.home / "cache" / "files", settings.cache_bytes // 2)


@lru_cache(maxsize=1)
def _passing_mirror() -> "Mirror":
    folder = tempfile.mkdtemp(prefix="headrace-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Mirror(Path(folder), 0)


@lru_cache(maxsize=8)
def _mirror(folder: Path, limit: int) -> "Mirror":
    return Mirror(folder, limit)


class Mirror:
    """Folders of versions, of at most `limit` bytes together. The one that was used longest ago goes first."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._files = LocalFiles(folder)
        self._looking, self._unseen = Lock(), limit  # the first look is due at once

    def paths(self, version: Version, download: Download) -> list[Path]:
        """The files of a version. Those that are not here, or are damaged here, are downloaded."""
        missing = [file for file in version.files if not self._files.holds(file)]
        if missing:
            self._make_room(sum(file.size for file in missing))
            for file in missing:
                self._fetch(file, download)
        paths = self._files.verified_paths(version)
        with suppress(OSError):
            self._folder_of(paths[0]).touch()
        return paths

    def _fetch(self, file: StoredFile, download: Download) -> None:
        path = self._files.path(file.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            temporary = Path(part.name)
        try:
            download(file, temporary)
            temporary.chmod(0o444)
            temporary.replace(path)
            self._files.trust(file)
        finally:
            temporary.unlink(missing_ok=True)

    def _folder_of(self, path: Path) -> Path:
        return next((folder for folder in path.parents if is_version_id(folder.name)), path.parent)

    def _make_room(self, wanted: int) -> None:
        """Looks at all copies, so only when what came since the last look may matter."""
        with self._looking:
            self._unseen += wanted
            if self._unseen * LOOKS < self._limit:
                return
            self._unseen = 0
            self._remove_oldest(wanted)

    def _remove_oldest(self, wanted: int) -> None:
        folders = sorted(self._folders())
        excess = sum(size for _, size, _ in folders) + wanted - self._limit
        for used, size, path in folders:
            if excess <= 0 or time.time() - used < SPARED_SECONDS:
                return
            shutil.rmtree(path, ignore_errors=True)
            excess -= size

    def _folders(self) -> Iterator[tuple[float, int, Path]]:
        """When each was last used, its size, itself. Other processes download and make room at the same time."""
        for key, _ in self._files.version_folders():
            folder, sizes = self._files.path(key), []
            with suppress(FileNotFoundError):
                for path in folder.rglob("*"):
                    with suppress(FileNotFoundError):
                        sizes.append(path.stat().st_size)
                yield folder.stat().st_mtime, sum(sizes), folder
