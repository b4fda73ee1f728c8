"""Processes of this machine as Linux tells of them: who descends from whom, what they hold, how they ended."""

import ctypes
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
LOADED_WITHIN = 1.0  # seconds, on a machine with much else to do
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


def become_reaper() -> None:
    """Makes processes below this one its children when their parents end, so that none of them gets away."""
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def started_at(pid: int) -> int | None:
    """When a process started, in ticks since boot; None when there is none. Together with the pid it is unique."""
    with suppress(OSError, IndexError):
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])
    return None


def descendants(pid: int) -> list[int]:
    """All processes below one, parents before children."""
    found = list(_children(pid))
    for child in found:  # grows while it is walked
        found.extend(_children(child))
    return found


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in (PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def environment_of(pid: int) -> bytes:
    """The variables that a process was started with, each with a zero behind it; nothing of one that has ended.

    While a new program is put into a process, which who started it takes for done, the kernel tells of none.
    """
    end = time.monotonic() + LOADED_WITHIN
    while True:
        try:
            told = (PROC / str(pid) / "environ").read_bytes()
            if told or not _is_being_loaded(pid) or time.monotonic() > end:
                return told
        except OSError:
            return b""
        time.sleep(0.002)


def _is_being_loaded(pid: int) -> bool:
    """Whether the kernel does not yet know where in memory the variables end (`env_end` of proc_pid_stat(5))."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return fields[0] not in "ZX" and fields[48] == "0"


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Sends a signal to each of them that still exists and is this user's."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def own_bytes(pid: int) -> int:
    """The memory that a process has for itself alone, swap included: what its end would give back.

    Pages shared with the process it was forked from do not count.
    """
    with suppress(OSError, ProcessLookupError):
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        wanted = ("Private_Clean:", "Private_Dirty:", "Swap:")
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(wanted))
    return 0


def ending_of(status: int) -> str:
    """How a process ended, from its wait status: `exit code 3`, `signal SIGSEGV`."""
    if not os.WIFSIGNALED(status):
        return f"exit code {os.waitstatus_to_exitcode(status)}"
    number = os.WTERMSIG(status)
    with suppress(ValueError):
        return f"signal {signal.Signals(number).name}"
    return f"signal {number}"


def wait_until(end: float, pid: int, pause: float = 0.02) -> int | None:
    """The wait status of a child once it ended, or None when it still runs at `end` (of `time.monotonic`)."""
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        if time.monotonic() >= end:
            return None
        time.sleep(pause)
