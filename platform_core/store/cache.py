"""Tables of versions as uncompressed Arrow files on this machine. A second read is a memory map.

Versions never change, so an entry is never wrong, only damaged: then it is removed and made again from the version.
An entry counts once its note is there, which says what the file looked like when its content was last proven. While
the file system says the same of it, nobody wrote to it, and a read costs no look at the content.
"""

import fcntl
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from platform_core.catalog.values import Version
from platform_core.settings import current_settings
from platform_core.store.checksums import checksum

# polars and pyarrow keep texts differently. Each gets entries that it can map as they are.
Flavour = Literal["polars", "arrow"]

# Below, decoding takes a few milliseconds, and thousands of small partitions would fill the folder with files.
LEAST_BYTES = 4 * 1024 * 1024
# One version must not push out all others.
LARGEST_SHARE = 2
# A note that is younger than its file's last change by less than this proves nothing: clocks of files tick slowly.
TICK_NS = 100_000_000
ABANDONED_SECONDS = 3600
# Opening a map costs time for each batch and column, so that few large batches are better.
BATCH_ROWS = 1024 * 1024


def current_cache() -> "Cache | None":
    """The cache that the settings name, or none."""
    settings = current_settings()
    # The other half is for the files of a remote store.
    limit = settings.cache_bytes // 2 if "://" in settings.store else settings.cache_bytes
    return _open_cache(settings.home / "cache" / "tables", limit) if limit else None


@lru_cache(maxsize=8)
def _open_cache(folder: Path, limit: int) -> "Cache":
    return Cache(folder, limit)


class Cache:
    """Entries of at most `limit` bytes together. The one that was read longest ago goes first."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit

    def takes(self, version: Version) -> bool:
        return version.format == "parquet" and version.bytes >= LEAST_BYTES

    def get(self, version: Version, flavour: Flavour) -> pa.Table | None:
        """The table as a memory map, or none when there is no sound entry."""
        path = self._path(version, flavour)
        try:
            if not self._is_sound(path):
                return None
            os.utime(_note(path))  # read now, which counts when room is made
            with pa.memory_map(str(path)) as source:
                return pa.ipc.open_file(source).read_all()
        except (OSError, ValueError, TypeError, KeyError, pa.ArrowInvalid):  # gone meanwhile, or not what it should be
            self._remove(path)
            return None

    def keep(self, version: Version, flavour: Flavour, table: pa.Table) -> threading.Thread | None:
        """Makes an entry in the background. A full disk or a read-only folder costs the entry, not the read."""
        path = self._path(version, flavour)
        if table.nbytes > self.limit // LARGEST_SHARE or _note(path).exists():
            return None
        thread = threading.Thread(target=self._try_write, args=(path, table), name="headrace-cache")
        thread.start()
        return thread

    def _path(self, version: Version, flavour: Flavour) -> Path:
        # By content: what was promoted or computed twice is kept once.
        return self.folder / f"{version.data_version}.{flavour}.arrow"

    def _is_sound(self, path: Path) -> bool:
        try:
            note = json.loads(_note(path).read_text())
        except FileNotFoundError:
            return False
        status = path.stat()
        if note["state"] == _state(status) and note["proven_ns"] - status.st_ctime_ns > TICK_NS:
            return True
        if status.st_size != note["size"] or checksum(path) != note["checksum"]:
            raise ValueError("damaged")
        self._write_note(path, note["checksum"], status)
        return True

    def _try_write(self, path: Path, table: pa.Table) -> None:
        with suppress(OSError, pa.ArrowException):
            self._write(path, table)

    def _write(self, path: Path, table: pa.Table) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._make_room(table.nbytes)
        if shutil.disk_usage(self.folder).free < 2 * table.nbytes:
            return
        descriptor, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        os.close(descriptor)
        try:
            with pa.OSFile(name, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                for start in range(0, max(1, table.num_rows), BATCH_ROWS):
                    writer.write_table(table.slice(start, BATCH_ROWS).combine_chunks())
            proven = checksum(Path(name))
            os.replace(name, path)
            self._write_note(path, proven, path.stat())
        finally:
            Path(name).unlink(missing_ok=True)

    def _write_note(self, path: Path, proven: str, status: os.stat_result) -> None:
        note = {"size": status.st_size, "checksum": proven, "state": _state(status), "proven_ns": time.time_ns()}
        temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        temporary.write_text(json.dumps(note))
        os.replace(temporary, _note(path))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time makes room; otherwise all of them would, for the same bytes."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_room(self, wanted: int) -> None:
        entries = sorted(self._entries())
        excess = sum(size for _, size, _ in entries) + wanted - self.limit
        for _, size, path in entries:
            if excess <= 0:
                return
            self._remove(path)
            excess -= size

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """When each was last read, its size, its file. What was left half-written counts as never read."""
        now = time.time()
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                status = path.stat()
                if path.suffix == ".part":
                    yield (0 if now - status.st_mtime > ABANDONED_SECONDS else now), status.st_size, path
                elif path.suffix == ".arrow":
                    note = _note(path)
                    yield (note.stat().st_mtime if note.exists() else status.st_mtime), status.st_size, path

    def _remove(self, path: Path) -> None:
        """Whoever has mapped the file keeps reading it."""
        for name in (_note(path), path):
            with suppress(OSError):
                name.unlink()


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _state(status: os.stat_result) -> list[Any]:
    """Changes with every write, whoever makes it: the time of change cannot be set back."""
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
