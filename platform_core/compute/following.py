"""What a worker hears of the child that executes its step: when the step begins, and to which files it prints.

Those are repeated on this process's own output, so that whoever looks at a container sees them. The files are what the
log of the step is kept from. A process beside the step's reads them, and not a thread in it or a program of the image:
so nothing is lost when the step is killed, or stands still in C, or has no `tail`.
"""

import os
import time
from collections.abc import Iterator

CHUNK = 1 << 20  # bytes that are repeated at once


class Following:
    """Made before the fork: the child tells, and the parent listens and repeats.

    `begun` says when the step began, of `time.monotonic`; None as long as the child loads what it needs.
    """

    def __init__(self) -> None:
        self.begun: float | None = None
        self._news, self._line = os.pipe()
        os.set_blocking(self._news, False)
        self._torn = b""
        self._files: list[tuple[int, int]] = []  # descriptors of what is read, and of where it is repeated

    def tell(self, stream: int, path: str) -> None:
        """From now on, what belongs on a stream (1 is standard output, 2 standard error) is appended to a file."""
        os.write(self._line, f"{stream} {path}\n".encode())

    def begin(self) -> None:
        """The step begins now."""
        os.write(self._line, b"begin\n")

    def repeat(self) -> None:
        """Repeats all that was printed since the last call."""
        for stream, path in self._told():
            self._files.append((os.open(path, os.O_RDONLY | os.O_CREAT, 0o644), stream))
        for source, stream in self._files:
            while chunk := os.read(source, CHUNK):
                _write(stream, chunk)

    def _told(self) -> Iterator[tuple[int, str]]:
        try:
            told = os.read(self._news, CHUNK)
        except BlockingIOError:
            return
        *lines, self._torn = (self._torn + told).split(b"\n")
        for line in lines:
            stream, _, path = line.decode().partition(" ")
            if path:
                yield int(stream), path
            else:
                self.begun = self.begun or time.monotonic()


def _write(stream: int, content: bytes) -> None:
    while content:
        content = content[os.write(stream, content) :]
