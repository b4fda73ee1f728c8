"""Processes as Linux tells of them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from platform_core.compute import processes
from platform_core.compute.processes import (
    descendants,
    ending_of,
    environment_of,
    own_bytes,
    signal_all,
    started_at,
    wait_until,
)

FAMILY = """
import subprocess, sys
grandchild = subprocess.Popen(["sleep", "60"])
print(grandchild.pid, flush=True)
input()
"""
ORPHANED = """
import os, signal, subprocess, sys
from platform_core.compute.processes import become_reaper, descendants
become_reaper()
subprocess.run([sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '60'])"])
for orphan in descendants(os.getpid()):
    print(open(f"/proc/{orphan}/comm").read().strip())
    os.kill(orphan, signal.SIGKILL)
"""


@contextmanager
def script(source: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_process_has_its_children_and_theirs_as_descendants() -> None:
    with script(FAMILY) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        assert descendants(child.pid) == [grandchild]
        found = descendants(os.getpid())
        assert found.index(child.pid) < found.index(grandchild)
        signal_all([grandchild], signal.SIGKILL)


def test_a_reaper_gets_the_children_of_those_that_ended() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHANED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["sleep"]


def test_when_a_process_started_is_known_until_it_ends() -> None:
    process = subprocess.Popen(["sleep", "60"])
    first = started_at(process.pid)
    assert first is not None
    assert started_at(process.pid) == first
    process.kill()
    _until(lambda: started_at(process.pid) is None)  # a zombie has ended, whether or not somebody asked after it
    process.wait()
    assert started_at(process.pid) is None


def test_a_name_with_spaces_and_brackets_does_not_confuse() -> None:
    source = "open('/proc/self/comm', 'w').write('a) Z 1 2'); print(flush=True); input()"
    with script(source) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert started_at(process.pid) is not None


def test_signals_go_past_those_that_are_gone_and_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen(["sleep", "60"])
    gone = subprocess.Popen(["true"])
    gone.wait()
    signal_all([gone.pid, process.pid], signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    def not_ours(_pid: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_ours)  # such as what a step started with sudo
    signal_all([1], signal.SIGKILL)


def test_memory_is_what_a_process_has_for_itself() -> None:
    with script("x = b'x' * 50_000_000; print(flush=True); input()") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 50e6 < own_bytes(process.pid) < 80e6
    assert own_bytes(process.pid) == 0


def test_memory_shared_with_a_parent_does_not_count() -> None:
    source = "import os; x = b'x' * 50_000_000\nif not os.fork(): print(os.getpid(), flush=True)\ninput()"
    with script(source) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert own_bytes(child) < 20e6
        signal_all([child], signal.SIGKILL)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (3 << 8, "exit code 3"),
        (0, "exit code 0"),
        (int(signal.SIGSEGV), "signal SIGSEGV"),
        (int(signal.SIGKILL) | 0x80, "signal SIGKILL"),
        (42, "signal 42"),
    ],
)
def test_an_ending_is_told(status: int, text: str) -> None:
    assert ending_of(status) == text


def test_a_child_is_waited_for_until_it_ends_or_the_time_is_over() -> None:
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "sleep 0.1; exit 7"], os.environ)
    assert wait_until(time.monotonic() + 0.01, child) is None
    assert wait_until(time.monotonic() + 10, child) == 7 << 8


def _until(happened, patience: float = 10) -> None:
    end = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_process_has_the_variables_that_it_was_started_with() -> None:
    with (
        subprocess.Popen(["sleep", "60"], env={"OF_ONE": "1"}) as one,
        subprocess.Popen(["env", "-i", "sleep", "60"]) as none,
    ):
        try:
            assert environment_of(one.pid) == b"OF_ONE=1\0"
            begin = time.monotonic()
            while environment_of(none.pid):  # it is `env` at first
                assert time.monotonic() - begin < 20
        finally:
            one.kill()
            none.kill()
    assert environment_of(one.pid) == b""


def test_a_program_that_is_just_being_loaded_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROC", tmp_path)
    place = tmp_path / "7"
    place.mkdir()

    def tell(variables: bytes, end: int) -> None:
        (place / "environ").write_bytes(variables)
        (place / "scratch").write_text(f"7 (a program) S {' '.join(['1'] * 47)} {end} 0")
        (place / "scratch").replace(place / "stat")

    tell(b"", 0)
    loaded = threading.Timer(0.1, tell, (b"OF_ONE=1\0", 4711))
    loaded.start()
    assert environment_of(7) == b"OF_ONE=1\0"
    tell(b"", 4711)
    assert environment_of(7) == b""
    monkeypatch.setattr(processes, "LOADED_WITHIN", 0.05)
    tell(b"", 0)
    assert environment_of(7) == b""
