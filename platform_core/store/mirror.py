"""Files of a remote store on this machine: downloaded once, whole, proven by size and checksum."""

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from platform_core.catalog.values import StoredFile, Version, is_version_id
from platform_core.settings import current_settings
from platform_core.store.local import LocalStore

# Somebody may still work with a file that was downloaded some time ago.
SPARED_SECONDS = 24 * 3600

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
        self._files = LocalStore(folder)

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
        keys = [key for key, _ in self._files.version_folders()]
        folders = sorted((path.stat().st_mtime, path) for path in map(self._files.path, keys))
        sizes = {path: sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) for _, path in folders}
        excess = sum(sizes.values()) + wanted - self._limit
        for used, path in folders:
            if excess <= 0 or time.time() - used < SPARED_SECONDS:
                return
            shutil.rmtree(path, ignore_errors=True)
            excess -= sizes[path]
