"""The events of a step on this machine, in a file that the step appends to and the run worker reads.

A step so needs no database of its own, and no event is lost with the run worker: what the file holds and the event
log does not is stored by whoever takes charge of the step next.
"""

import os
from collections.abc import Iterator
from pathlib import Path


class JournalWriter:
    """Appends lines, each with one write if it can, so that a process that is killed leaves at most one torn line."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, line: str) -> None:
        rest = line.encode() + b"\n"
        while rest:  # a disk that is nearly full takes a part
            rest = rest[os.write(self._descriptor, rest) :]


class JournalReader:
    """Gives each complete line once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._rest = b""

    def lines(self) -> Iterator[str]:
        """The lines that were completed since the last call."""
        *complete, self._rest = (self._rest + self._new_bytes()).split(b"\n")
        for line in complete:
            yield line.decode()

    def _new_bytes(self) -> bytes:
        try:
            if os.stat(self._path).st_size == self._read:
                return b""
        except FileNotFoundError:  # the step has not begun
            return b""
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        return new


def journal_path(folder: Path, attempt: str) -> Path:
    """The journal of an attempt, by its id."""
    return folder / f"{attempt}.events"
