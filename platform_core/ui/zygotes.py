"""Starts code servers and daemons as forks of processes that have everything loaded, one for each environment."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform_core.compute.processes import started_at
from platform_core.dagster_internals import CODE_SERVER_LIBRARIES
from platform_core.errors import SettingsError

SCRIPT = Path(__file__).with_name("zygote.py")
GRACE = 10.0  # seconds for an orderly end of what was started


@dataclass(frozen=True)
class Start:
    """A Python module to run as a process.

    Args:
        executable: the interpreter that the process shall take itself for.
        folder: where it runs, and where code that is ours is looked for first.
        log: the file that takes what it prints.
    """

    executable: Path
    module: str
    arguments: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]
    log: Path

    def as_request(self, verb: str) -> dict[str, Any]:
        return {
            "verb": verb,
            "executable": str(self.executable),
            "module": self.module,
            "arguments": self.arguments,
            "folder": str(self.folder),
            "variables": dict(self.variables),
            "log": str(self.log),
        }


@dataclass(frozen=True)
class Started:
    """A process that was started, told by pid and start time from any later one."""

    pid: int
    began: int | None

    @property
    def is_alive(self) -> bool:
        return self.began is not None and started_at(self.pid) == self.began


class Zygotes:
    """The zygotes of all environments that were asked for. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int], _Zygote] = {}
        self._lock = threading.Lock()

    def start(self, what: Start) -> Started:
        return self._of(what.executable).start(what)

    def learn(self, what: Start) -> None:
        """Lets the zygote of an interpreter load the libraries that a module of ours imports."""
        self._of(what.executable).learn(what)

    def close(self) -> None:
        """Ends them, and with them whatever they started."""
        with self._lock:
            for zygote in self._known.values():
                zygote.close()
            self._known.clear()

    def _of(self, interpreter: Path) -> "_Zygote":
        venv = interpreter.parent.parent.resolve()
        with self._lock:
            key = venv, _changed_at(venv)
            if key not in self._known or not self._known[key].is_alive:
                self._known[key] = _Zygote(venv / "bin" / interpreter.name)
            return self._known[key]


def _changed_at(venv: Path) -> int:
    """When a package was last added or removed: libraries that are loaded stay as they were."""
    return max((path.stat().st_mtime_ns for path in venv.glob("lib/python*/site-packages")), default=0)


class _Zygote:
    def __init__(self, interpreter: Path) -> None:
        self._venv = interpreter.parent.parent
        if not interpreter.is_file():
            raise SettingsError(f"{interpreter} does not exist; make it with: uv sync --locked --project LOCATION")
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DAGSTER_HOME")}
        self._process = subprocess.Popen(
            [str(interpreter), "-P", str(SCRIPT), json.dumps(CODE_SERVER_LIBRARIES)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=kept, text=True, bufsize=1,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._learnt: set[tuple[str, Path]] = set()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def start(self, what: Start) -> Started:
        pid = int(self._ask(what.as_request("start"))["pid"])
        return Started(pid, started_at(pid))

    def learn(self, what: Start) -> None:
        if (key := (what.module, what.folder)) not in self._learnt:
            self._learnt.add(key)
            self._ask(what.as_request("learn"))

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            told, heard = self._process.stdin, self._process.stdout
            assert told is not None
            assert heard is not None
            with suppress(BrokenPipeError):
                print(json.dumps(request), file=told, flush=True)
            if not (answer := heard.readline()):
                raise SettingsError(f"The process that starts code servers of {self._venv} ended; its log is above.")
            found: dict[str, Any] = json.loads(answer)
            return found

    def close(self) -> None:
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def stop(processes: Sequence[Started]) -> None:
    """Asks processes to end, and makes those that do not."""
    _signal(processes, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while any(process.is_alive for process in processes):
        if time.monotonic() > until:
            _signal(processes, signal.SIGKILL)
        time.sleep(0.02)


def _signal(processes: Sequence[Started], number: signal.Signals) -> None:
    for process in processes:
        if process.is_alive:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
