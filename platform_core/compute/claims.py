"""Which process takes which trial, where several share a folder: each trial is one file, which one process can make."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class Claims:
    """The trials of one run of a sweep that were taken, and by which worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, number: int, worker: str) -> bool:
        """Whether the trial is this worker's from now on, or was already."""
        path = self._folder / str(number)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            os.write(descriptor, worker.encode())
            os.close(descriptor)
            return True
        return path.read_text() == worker

    def all(self) -> dict[int, str]:
        return dict(self._each())

    def _each(self) -> Iterator[tuple[int, str]]:
        for path in self._folder.iterdir():
            yield int(path.name), path.read_text()

    def age(self, number: int) -> float:
        """Seconds since a trial was taken."""
        return time.time() - (self._folder / str(number)).stat().st_mtime
