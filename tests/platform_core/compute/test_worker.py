"""The process that watches over a step elsewhere: its exit code says what happened, and nothing is left of the step."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.attempts import STEP_VARIABLE, WORKER
from platform_core.compute.worker import (
    EXIT_CANCELLED,
    EXIT_FINISHED,
    EXIT_TIMEOUT,
    GRACE_VARIABLE,
    TIMEOUT_VARIABLE,
    pack,
    unpack,
)
from tests.platform_core.compute.backends.local.zygotes import eventually, is_alive, written

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def started(code: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """A worker whose step is a piece of Python, which finds `folder` there."""
    step = f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{code}"
    replaced = (
        "import sys\nfrom platform_core.compute import worker\n"
        f"worker._execute = lambda told: told.begin() or exec({step!r}, {{}}) or worker.EXIT_FINISHED\n"
        "sys.exit(worker.main())"
    )
    environment = {**os.environ, GRACE_VARIABLE: "0.3", **variables}
    return subprocess.Popen([sys.executable, "-c", replaced], env=environment, stderr=subprocess.PIPE, text=True)


def ended(code: str, folder: Path, **variables: str) -> tuple[int, str]:
    worker = started(code, folder, **variables)
    _, errors = worker.communicate(timeout=30)
    return worker.returncode, errors


@given(st.text())
def test_a_text_is_packed_into_what_a_variable_can_carry(text: str) -> None:
    assert unpack(pack(text)) == text
    assert pack(text).isascii()
    assert "\0" not in pack(text)


def test_without_a_step_it_only_shows_that_it_starts() -> None:
    command = [sys.executable, *WORKER]
    tried = subprocess.run(command, env={**os.environ, STEP_VARIABLE: pack("")}, capture_output=True, check=False)
    assert (tried.returncode, tried.stderr) == (EXIT_FINISHED, b"")


def test_a_step_that_ends_well(tmp_path: Path) -> None:
    assert ended("(folder / 'done').touch()", tmp_path) == (EXIT_FINISHED, "")
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("code", "exit_code", "told"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise ValueError('oh')", 1, "ValueError: oh"),
        ("import os; os.abort()", 128 + signal.SIGABRT, "The step's process ended with signal SIGABRT."),
        ("import os; os.kill(os.getpid(), 9)", 128 + signal.SIGKILL, "The step's process ended with signal SIGKILL."),
    ],
)
def test_a_crash_is_told_by_the_exit_code(tmp_path: Path, code: str, exit_code: int, told: str) -> None:
    found, errors = ended(code, tmp_path)
    assert found == exit_code
    assert told in errors


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", STUBBORN, "sum(range(10**12))"])
def test_a_step_beyond_its_time_is_ended_whatever_it_is_doing(tmp_path: Path, code: str) -> None:
    assert ended(code, tmp_path, **{TIMEOUT_VARIABLE: "0.2"})[0] == EXIT_TIMEOUT


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", STUBBORN])
def test_a_step_is_cancelled_with_its_worker(tmp_path: Path, code: str) -> None:
    worker = started(f"(folder / 'ready').touch()\n{code}", tmp_path)
    eventually((tmp_path / "ready").exists)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=30)
    assert worker.returncode == EXIT_CANCELLED


def test_a_step_that_is_cancelled_may_clean_up(tmp_path: Path) -> None:
    clean_up = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: ((folder / 'clean').touch(), sys.exit(0)))\n"
        "(folder / 'ready').touch()\ntime.sleep(60)"
    )
    worker = started(clean_up, tmp_path, **{GRACE_VARIABLE: "30"})
    eventually((tmp_path / "ready").exists)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=30)
    assert (tmp_path / "clean").exists()
    assert time.monotonic() - began < 20  # as soon as it has, and not only when its time is over


@pytest.mark.parametrize("last", ["", "raise SystemExit(3)", "time.sleep(60)"])
def test_what_a_step_started_ends_with_it(tmp_path: Path, last: str) -> None:
    code = (
        "import subprocess, time\n"
        "sleeper = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"(folder / 'pid').write_text(str(sleeper.pid))\n{last}"
    )
    ended(code, tmp_path, **{TIMEOUT_VARIABLE: "1"})
    sleeper = written(tmp_path / "pid")
    eventually(lambda: not is_alive(sleeper))
