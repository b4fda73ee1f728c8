"""What this machine has, and a process that is held to a share of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from platform_core.compute.backends.local.limits import (
    GIB,
    THREAD_VARIABLES,
    machine_limits,
    memory_of,
    thread_variables,
)
from platform_core.compute.spec import Compute

MIB = 1 << 20


def held(source: str, *, cpu: float = 1, memory: int | None = None, before: str = "") -> str:
    """What a process prints that was held to a share first."""
    hold = f"from platform_core.compute.backends.local.limits import hold_to; hold_to({cpu}, {memory})"
    code = f"import os, resource\n{before}\n{hold}\n{source}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_machine_has_processors_and_memory_and_no_gpu() -> None:
    limits = machine_limits()
    assert limits.cpu == len(os.sched_getaffinity(0))
    assert 100 * MIB < (limits.memory_bytes or 0) <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert limits.broken_by(Compute(gpu=1)) == ["1 gpu of at most 0"]
    assert limits.broken_by(Compute()) == []


@pytest.mark.parametrize(("cpu", "threads"), [(0.1, "1"), (1, "1"), (1.5, "2"), (8, "8")])
def test_libraries_are_told_how_many_threads_to_start(cpu: float, threads: str) -> None:
    assert dict(thread_variables(cpu)) == dict.fromkeys(THREAD_VARIABLES, threads)


def test_a_process_is_held_to_some_processors() -> None:
    mine = len(os.sched_getaffinity(0))
    assert held("print(len(os.sched_getaffinity(0)))", cpu=0.5) == "1"
    assert held("print(len(os.sched_getaffinity(0)))", cpu=mine + 5) == str(mine)


def test_a_process_cannot_outrun_a_watcher_with_its_memory() -> None:
    grab = "\ntry: bytearray(4 * 2**30)\nexcept MemoryError: print('no more')"
    assert held(grab, memory=100 * MIB) == "no more"
    assert held("bytearray(10**9); print('enough')", memory=100 * MIB) == "enough"  # it is the watcher's to end it


def test_a_narrower_limit_of_the_machine_stays() -> None:
    before = f"resource.setrlimit(resource.RLIMIT_DATA, ({2 * GIB}, {2 * GIB}))"
    limit = held("print(*resource.getrlimit(resource.RLIMIT_DATA))", memory=8 * GIB, before=before)
    assert limit == f"{2 * GIB} {2 * GIB}"


def test_memory_is_that_of_a_process_and_all_that_it_started(tmp_path: Path) -> None:
    child = "x = bytearray(80_000_000); print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 80_000_000 < memory_of(process.pid) < 160_000_000
        process.communicate(b"\n")
    assert memory_of(process.pid) == 0
