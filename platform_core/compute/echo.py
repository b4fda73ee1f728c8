"""Shows what steps on this machine print: each writes to files of its own, which are repeated here as they grow."""

import codecs
import os
import sys
from pathlib import Path
from typing import TextIO

import dagster as dg

from platform_core.orchestrator.steps import captured_files

CHUNK = 1 << 20  # bytes that are repeated at once


class Echo:
    """Repeats files of standard output and error on this process's own."""

    def __init__(self, instance: dg.DagsterInstance, run_id: str) -> None:
        self._instance = instance
        self._run_id = run_id
        self._followed: dict[str, list[_Followed]] = {}

    def follow(self, attempt: str, event: dg.DagsterEvent) -> None:
        """Begins with the files that an event says an attempt's output is captured in."""
        files = captured_files(self._instance, self._run_id, event)
        streams = zip(files, (sys.stdout, sys.stderr), strict=False)
        self._followed[attempt] = [_Followed(Path(file), stream) for file, stream in streams]

    def flush(self) -> None:
        for files in self._followed.values():
            for file in files:
                file.repeat()

    def end(self, attempt: str) -> None:
        """Repeats the rest of an attempt's files and lets go of them."""
        for file in self._followed.pop(attempt, ()):
            file.repeat()
            file.close()

    def close(self) -> None:
        for attempt in list(self._followed):
            self.end(attempt)


class _Followed:
    def __init__(self, path: Path, stream: TextIO) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a read may end within a letter

    def repeat(self) -> None:
        while chunk := os.read(self._descriptor, CHUNK):
            self._show(self._decoder.decode(chunk))

    def _show(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def close(self) -> None:
        self._show(self._decoder.decode(b"", final=True))
        os.close(self._descriptor)
