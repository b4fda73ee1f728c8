"""Starts a location's own interpreter and listens to what it tells."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from platform_core.locations import Location, not_loaded
from platform_core.settings import current_settings
from platform_core.warm import Warm, address_of, ask

Message = dict[str, Any]
Messages = queue.Queue[Message | None]
Process = subprocess.Popen[str] | Warm
READERS = 2  # of what is told, and of what is printed
WARM = ("try", "sweep")  # what a process may do that has the location loaded already
UNLOADED = ("candidates", "promote", "verdicts")  # what needs no location
PATIENCE = 5  # times as long as the UI waits for a location: here others wait for it only in line


def converse(location: Location, **request: Any) -> Iterator[Message]:
    """Messages of one location's runner, lines that its code prints among them (`kind` is `printed`).

    What is tried, a process does that has the location loaded already, where there is one.

    The last message is `ended` with the exit code. Closing the iterator early interrupts the runner.
    """
    location.require_environment()
    warm = _warm_start(location, request) if request.get("verb") in WARM else None
    process, descriptor = warm or _start(location, request)
    loads = warm is None and request.get("verb") not in UNLOADED
    try:
        yield from _told(process, _listening(process, descriptor), location, loads=loads)
        yield {"kind": "ended", "code": process.wait()}
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def _told(process: Process, messages: Messages, location: Location, *, loads: bool) -> Iterator[Message]:
    """Until nobody tells anything any more. Of who loads the location, the first message is not waited for for ever."""
    patience, ends = PATIENCE * current_settings().load_timeout, 0
    until = time.monotonic() + patience if loads else None
    while ends < READERS:
        try:
            message = messages.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
        except queue.Empty:
            process.send_signal(signal.SIGKILL)
            message = {"kind": "refused", "sentence": not_loaded(location.name, patience)}
        if message is None:
            ends += 1
            continue
        if message["kind"] != "printed":
            until = None
        yield message


def _listening(process: Process, descriptor: int) -> Messages:
    """What is told and printed, each by a thread that ends with None."""
    messages: Messages = queue.Queue()
    threading.Thread(target=_read_messages, args=(descriptor, messages), daemon=True).start()
    threading.Thread(target=_read_prints, args=(process.stdout, messages), daemon=True).start()
    return messages


def _warm_start(location: Location, request: dict[str, Any]) -> "tuple[Warm, int] | None":
    ours, theirs = os.pipe()
    full = {**request, "location": location.name, "module": location.module}
    process = ask(address_of(location.name, current_settings()), full, theirs)
    os.close(theirs)
    if process is None:
        os.close(ours)
        return None
    return process, ours


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


def _read_messages(descriptor: int, messages: Messages) -> None:
    with os.fdopen(descriptor) as stream:
        for line in stream:
            messages.put(json.loads(line))
    messages.put(None)


def _read_prints(stream: IO[str] | None, messages: Messages) -> None:
    for line in stream or ():
        messages.put({"kind": "printed", "line": line.rstrip("\n")})
    messages.put(None)


def in_repository(path: str) -> str:
    """A path as a person in the repository would write it."""
    try:
        return str(Path(path).relative_to(current_settings().repository))
    except ValueError:
        return path
