"""Zygotes in processes of their own, whose steps are Python code: the payload of a start is what it executes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, Literal

from platform_core.compute.attempts import Attempt, Ending
from platform_core.compute.backends.local.records import Records
from platform_core.compute.backends.local.zygote import Start
from platform_core.compute.processes import PROC

SERVE = """
import sys
from multiprocessing.connection import Connection
from platform_core.compute.backends.local.cgroups import MemoryGroup
from platform_core.compute.backends.local.zygote import Zygote
if sys.argv[3] == "watcher":
    MemoryGroup.make = classmethod(lambda *_: None)
execute = lambda start: exec(start.payload, {"start": start})
Zygote(Connection(int(sys.argv[1])), execute, outlive=sys.argv[2] == "outlive").serve()
"""
ROOT = Path(__file__).parents[5]
PATIENCE = 20.0


class Served:
    """A zygote and the run worker's end of its line.

    `holding` says who holds steps to their memory: the kernel, where this user may, or the zygote alone.
    """

    def __init__(self, folder: Path, outlive: bool = False, holding: Literal["kernel", "watcher"] = "kernel") -> None:
        self.folder = folder
        self.records = Records(folder)
        self.line, theirs = Pipe()
        command = [sys.executable, "-c", SERVE, str(theirs.fileno()), "outlive" if outlive else "", holding]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, stderr=subprocess.PIPE)
        theirs.close()
        self._steps = 0

    def start(self, code: str, **more: Any) -> Attempt:
        self._steps += 1
        attempt = Attempt("run", f"step{self._steps}")
        given: dict[str, Any] = {"cpu": 1, "memory": None, "timeout": None, "grace": 0.5, "variables": {}} | more
        self.line.send(Start(attempt.id, code, str(self.folder), **given))
        return attempt

    def news(self, kind: str, attempt: Attempt) -> Any:
        """What comes next, which is to be that of this attempt."""
        assert self.line.poll(PATIENCE), f"no word of {attempt.id}"
        told = self.line.recv()
        assert told[:2] == (kind, attempt.id)
        return told[2]

    def ending(self, code: str, **more: Any) -> Ending:
        """How a step ended that was started alone."""
        attempt = self.start(code, **more)
        self.news("running", attempt)
        ending = self.news("ended", attempt)
        assert isinstance(ending, Ending)
        assert self.records.ending(attempt) == ending
        assert self.records.pid(attempt) == 0
        return ending

    def close(self) -> str:
        """Ends the zygote as a run worker does that is done; returns what it printed to standard error."""
        self.line.close()
        _, errors = self.process.communicate(timeout=PATIENCE)
        return errors.decode()


def is_alive(pid: int) -> bool:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(what: Callable[[], Any]) -> Any:
    """Its value as soon as it has a true one."""
    end = time.monotonic() + PATIENCE
    while not (value := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return value


def written(path: Path) -> int:
    """The number that a step writes to a file."""
    return int(eventually(lambda: path.is_file() and path.read_text()))


def kill(pid: int) -> None:
    os.kill(pid, 9)
