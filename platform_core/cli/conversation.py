"""Starts a location's own interpreter and listens to what it tells."""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from platform_core.locations import Location
from platform_core.settings import current_settings

Message = dict[str, Any]


def converse(location: Location, **request: Any) -> Iterator[Message]:
    """Messages of one location's runner, lines that its code prints among them (`kind` is `printed`).

    The last message is `ended` with the exit code. Closing the iterator early interrupts the runner.
    """
    location.require_environment()
    process, descriptor = _start(location, request)
    messages: queue.Queue[Message | None] = queue.Queue()
    readers = [
        threading.Thread(target=_read_messages, args=(descriptor, messages), daemon=True),
        threading.Thread(target=_read_prints, args=(process.stdout, messages), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        open_ends = len(readers)
        while open_ends:
            message = messages.get()
            open_ends -= message is None
            if message is not None:
                yield message
        yield {"kind": "ended", "code": process.wait()}
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def _start(location: Location, request: dict[str, Any]) -> tuple[subprocess.Popen[str], int]:
    ours, theirs = os.pipe()
    full = {**request, "location": location.name, "module": location.module, "descriptor": theirs}
    process = subprocess.Popen(
        [str(location.interpreter), "-m", "platform_core.runner", json.dumps(full)],
        pass_fds=[theirs],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=current_settings().repository,
        env={**os.environ, "HEADRACE_REPOSITORY": str(current_settings().repository)},
    )
    os.close(theirs)
    return process, ours


def _read_messages(descriptor: int, messages: "queue.Queue[Message | None]") -> None:
    with os.fdopen(descriptor) as stream:
        for line in stream:
            messages.put(json.loads(line))
    messages.put(None)


def _read_prints(stream: IO[str] | None, messages: "queue.Queue[Message | None]") -> None:
    for line in stream or ():
        messages.put({"kind": "printed", "line": line.rstrip("\n")})
    messages.put(None)


def in_repository(path: str) -> str:
    """A path as a person in the repository would write it."""
    try:
        return str(Path(path).relative_to(current_settings().repository))
    except ValueError:
        return path
