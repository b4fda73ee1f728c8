"""What this machine has, and how a process is held to its share of it."""

import os
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path

from platform_core.compute.processes import descendants, own_bytes
from platform_core.compute.profiles import Limits

GIB = 1 << 30
# Every library with threads of its own reads one of these when it starts them.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
_CGROUP_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def machine_limits() -> Limits:
    """The processors that this process may use and the memory that it could have; no GPU."""
    return Limits(cpu=len(os.sched_getaffinity(0)), memory=machine_memory(), gpu=0)


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the container that this process runs in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            whole = min(whole, int((Path("/sys/fs/cgroup") / name).read_text()))
    return whole


def thread_variables(cpu: float) -> Mapping[str, str]:
    """Variables that keep libraries from starting more threads than the step has processors."""
    return dict.fromkeys(THREAD_VARIABLES, str(max(1, ceil(cpu))))


def hold_to(cpu: float, memory: int | None) -> None:
    """Holds this process and what it starts to some processors, and to a memory that it cannot outrun a watcher with.

    The watcher ends a step at its limit with a sentence; the hard limit only stops a burst between two of its looks.
    """
    processors = sorted(os.sched_getaffinity(0))
    share = max(1, ceil(cpu))
    if share < len(processors):
        first = os.getpid() % len(processors)  # so that neighbours do not all sit on the same ones
        os.sched_setaffinity(0, {processors[(first + n) % len(processors)] for n in range(share)})
    if memory is not None:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = min(_data_bytes() + 2 * memory + GIB, sys.maxsize if hard == resource.RLIM_INFINITY else hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _data_bytes() -> int:
    """What this process has already of that which RLIMIT_DATA counts."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return 1024 * int(line.split()[1])
    return 0


def memory_of(pid: int) -> int:
    """The bytes that a step and all that it started hold for themselves."""
    return sum(own_bytes(each) for each in (pid, *descendants(pid)))
