"""A trial that takes too long ends, and leaves no alarm behind."""

import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from platform_core.trials.limit import TooLong, at_most


def test_what_takes_too_long_is_interrupted_whatever_it_catches() -> None:
    with pytest.raises(TooLong), at_most(0.1), suppress(Exception):
        time.sleep(30)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_ends_in_time_is_left_alone() -> None:
    with at_most(60):
        pass
    with at_most(None):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_cannot_be_interrupted_ends_with_its_process() -> None:
    code = (
        "import signal, platform_core.trials.limit as limit\nlimit.GRACE = 0.2\n"
        "with limit.at_most(0.2):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
        "    import time; time.sleep(30)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert time.monotonic() - started < 25
    assert "Timeout" in done.stderr
