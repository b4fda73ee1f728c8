"""The zygote: a process that has everything loaded and does nothing, so that a step is one fork away.

It has one thread, runs no code of a team itself, and outlives a run worker that dies, so that running steps end in
order and a later run worker finds what became of them.
"""

import atexit
import gc
import os
import selectors
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import util
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.local.cgroups import MemoryGroup
from platform_core.compute.backends.local.limits import hold_to, memory_of
from platform_core.compute.backends.local.records import Records
from platform_core.compute.processes import become_reaper, descendants, ending_of, environment_of, signal_all
from platform_core.compute.quantities import duration_text, size_text

LOOK = 0.1  # seconds between two looks at the memory of steps
EXIT_RAISED = 70  # what a step's process ends with when the code around the step raised
EXIT_MEMORY = 71  # when it could not get more memory
ATTEMPT_VARIABLE = "HEADRACE_ATTEMPT"  # the id of an attempt, in the environment of whatever it starts

Execute = Callable[["Start"], None]


@dataclass(frozen=True)
class Start:
    """The request to start one attempt. Sizes in bytes, times in seconds."""

    attempt: str
    payload: str
    folder: str
    cpu: float
    memory: int | None
    timeout: float | None
    grace: float
    variables: dict[str, str]


@dataclass
class _Child:
    start: Start
    pid: int
    began: float
    group: MemoryGroup | None
    reason: Ending | None = None  # why it is being ended, once it is
    force_at: float = float("inf")

    @property
    def deadline(self) -> float:
        return self.began + (self.start.timeout or float("inf"))

    def ran_out_of_memory(self, status: int) -> bool:
        """Whether it ended, by itself or by the kernel's hand, because there was no more."""
        was_told = os.WIFEXITED(status) and os.WEXITSTATUS(status) == EXIT_MEMORY
        return was_told or (self.group is not None and self.group.has_killed and status != 0)

    def has_left(self, pid: int) -> bool:
        """Whether it started a process, which is no descendant of it any more. One with its own session is told by
        the variable, unless it was forked without being executed anew."""
        if _session(pid) == self.pid:
            return True
        return f"{ATTEMPT_VARIABLE}={self.start.attempt}\0".encode() in environment_of(pid)


class Zygote:
    """Serves the run worker at the other end of `line`: takes what to start and to end, tells of pids and endings."""

    def __init__(self, line: Connection, execute: Execute, outlive: bool) -> None:
        self._line = line
        self._execute = execute
        self._outlive = outlive  # whether steps go on when the run worker is gone
        self._children: dict[int, _Child] = {}
        self._alone = False
        self._news = _signals()

    def serve(self) -> None:
        """Returns when the run worker is gone and the last step has ended."""
        become_reaper()
        gc.freeze()  # or every collection in a child would copy the pages that it shares with this process
        with selectors.DefaultSelector() as selector:
            selector.register(self._news, selectors.EVENT_READ)
            selector.register(self._line, selectors.EVENT_READ)
            while not self._alone or self._children:
                ready = {key.fileobj for key, _ in selector.select(LOOK if self._children else None)}
                if self._news in ready:
                    os.read(self._news, 4096)
                if self._line in ready and not self._listen():
                    selector.unregister(self._line)
                self._look_after_children()

    def _listen(self) -> bool:
        """Takes one request; False when nobody is there any more to make one."""
        try:
            request: Any = self._line.recv()
        except (EOFError, ConnectionError):
            self._alone = True
            if not self._outlive:
                self._end_all()
            return False
        if isinstance(request, Start):
            self._fork(request)
        else:
            self._end(request, Ending("cancelled", "It was cancelled."))
        return True

    def _fork(self, start: Start) -> None:
        group = MemoryGroup.make(start.attempt, start.memory) if start.memory else None
        pid = os.fork()
        if pid == 0:
            self._line.close()
            _be_a_step(start, self._execute, group)
        Records(Path(start.folder)).write_running(start.attempt, pid)
        self._children[pid] = _Child(start, pid, time.monotonic(), group)
        self._tell("running", start.attempt, pid)

    def _look_after_children(self) -> None:
        for pid, status in _ended():
            if child := self._children.pop(pid, None):
                self._bury(child, status)
        for child in self._children.values():
            self._hold(child)

    def _hold(self, child: _Child) -> None:
        """Ends a child that went beyond its time or memory, and by force one that does not end when asked."""
        now = time.monotonic()
        if child.reason is None and now >= child.deadline:
            self._ask_to_end(child, Ending("timeout", _out_of_time(child.start.timeout or 0)))
        if child.reason is None and child.start.memory and (held := memory_of(child.pid)) > child.start.memory:
            child.reason = Ending("memory", out_of_memory(held, child.start.memory))
            child.force_at = now  # waiting would let it take more
        if now >= child.force_at:
            signal_all([*descendants(child.pid), child.pid], signal.SIGKILL)

    def _ask_to_end(self, child: _Child, reason: Ending) -> None:
        child.reason = child.reason or reason
        child.force_at = min(child.force_at, time.monotonic() + child.start.grace)
        signal_all([child.pid], signal.SIGTERM)

    def _end(self, attempt: str, reason: Ending) -> None:
        for child in self._children.values():
            if child.start.attempt == attempt:
                self._ask_to_end(child, reason)

    def _end_all(self) -> None:
        for child in self._children.values():
            self._ask_to_end(child, Ending("cancelled", "The process of its run ended."))

    def _bury(self, child: _Child, status: int) -> None:
        self._end_what_it_left(child)
        ending = child.reason or _ending(status)
        if child.start.memory and child.ran_out_of_memory(status):
            ending = Ending("memory", out_of_memory(child.start.memory, child.start.memory))
        if child.group is not None:
            child.group.remove()
        Records(Path(child.start.folder)).write_ended(child.start.attempt, ending)
        self._tell("ended", child.start.attempt, ending)

    def _end_what_it_left(self, child: _Child) -> None:
        """Processes that a step started are this one's children now; they end with it."""
        others = [pid for pid in descendants(os.getpid()) if pid not in self._children]
        left = [pid for pid in others if _session(pid) not in self._children and child.has_left(pid)]
        signal_all(left, signal.SIGKILL)

    def _tell(self, *news: Any) -> None:
        with suppress(ConnectionError):  # the run worker is gone: the records tell
            self._line.send(news)


def _signals() -> int:
    """A file to read from whenever a child ended. Ctrl-C and requests to end are the run worker's business."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return read


def _be_a_step(start: Start, execute: Execute, group: MemoryGroup | None) -> None:
    """Executes the step in this process, which ends with it."""
    code = EXIT_RAISED
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update({**start.variables, ATTEMPT_VARIABLE: start.attempt})
        _forget_parent()
        if group is not None:
            group.join(os.getpid())
        hold_to(start.cpu, None if group else start.memory)  # the kernel's own limit is better
        execute(start)
        code = 0
    except SystemExit as asked:
        code = _exit_code(asked)
    except MemoryError:
        code = EXIT_MEMORY
    except BaseException:
        traceback.print_exc()
    finally:
        _finish()
        os._exit(code)


def _exit_code(asked: SystemExit) -> int:
    """As Python does it: a text is an error, and printed."""
    if asked.code is None or isinstance(asked.code, int):
        return asked.code or 0
    print(asked.code, file=sys.stderr)
    return 1


def _forget_parent() -> None:
    """Lets go of what the zygote has registered for its own end."""
    atexit._clear()
    util._finalizer_registry.clear()  # type: ignore[attr-defined]


def _finish() -> None:
    """What Python does at its end: threads that the step began, its own exit functions, what it printed."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        util._exit_function()  # type: ignore[attr-defined]
    except BaseException:
        traceback.print_exc()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()


def _ended() -> Iterator[tuple[int, int]]:
    """The children that ended since the last call, those of ended steps included."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, status


def _session(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return 0


def _ending(status: int) -> Ending:
    if status == 0:
        return Ending("finished")
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return Ending(
            "vanished", "Its process was killed from outside: by hand, or by a system that had no memory left."
        )
    return Ending("failed", f"Its process ended with {ending_of(status)}, before the step had a result.")


def _out_of_time(timeout: float) -> str:
    return f"It ran longer than {duration_text(timeout)}: give it more with Compute(timeout=...), or do less."


def out_of_memory(held: int, limit: int) -> str:
    return (
        f"It was killed for memory at {size_text(held)} of {size_text(limit)}: ask for more with Compute(memory=...)."
    )
