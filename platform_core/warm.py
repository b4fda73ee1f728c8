"""A process that has a location loaded and waits: how it is found and asked. It answers its own user alone."""

import array
import hashlib
import json
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from platform_core.settings import Settings

PATIENCE = 2.0  # seconds until it has to take a request; it forks, so it is never busy for long


def address_of(location: str, settings: Settings) -> Path:
    """The socket of a location's warm process: one for each home and repository. Short, as sockets have to be."""
    where = hashlib.sha256(f"{settings.home}\0{settings.repository}\0{location}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"headrace-{os.getuid()}" / f"{where}.sock"


def is_ours(folder: Path) -> bool:
    """Whether only this user can put a socket there."""
    status = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == os.getuid() and not status.st_mode & 0o077


class Warm:
    """The part of a warm process that does one request, as far as whoever asked sees it."""

    def __init__(self, line: socket.socket, pid: int, output: IO[str]) -> None:
        self._line, self._pid, self.stdout = line, pid, output
        self._code: int | None = None

    def wait(self) -> int:
        """Its exit code; 1 when it was killed before it could say."""
        if self._code is None:
            told = self._line.recv(16)
            self._code = int(told) if told else 1
            self._line.close()
        return self._code

    def poll(self) -> int | None:
        if self._code is None:
            self._line.setblocking(False)
            with suppress(BlockingIOError):
                self.wait()
            if self._code is None:
                self._line.setblocking(True)
        return self._code

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)


def ask(address: Path, request: dict[str, Any], descriptor: int) -> Warm | None:
    """Gives a request to a warm process, which writes messages to a descriptor; None where none takes it."""
    if not (address.exists() and is_ours(address.parent)):
        return None
    output, printed = os.pipe()
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(PATIENCE)
    try:
        line.connect(str(address))
        settings = {name: value for name, value in os.environ.items() if name.startswith("HEADRACE_")}
        content = json.dumps({"request": request, "settings": settings}).encode()
        line.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor, printed]))])
        pid = int(line.recv(16) or 0)
    except OSError:  # its process ended without removing the socket
        pid = 0
    finally:
        os.close(printed)
    if not pid:
        os.close(output)
        line.close()
        return None
    line.settimeout(None)
    return Warm(line, pid, os.fdopen(output, errors="replace"))
