"""`python -m platform_core.compute.worker`: executes one step in a container, a pod, or a Batch job.

The process that the machine starts does no work itself: it watches over one child that does. So a timeout ends the
step whatever it is doing, what the step started ends with it, and the exit code always tells what happened.
"""

import base64
import gc
import os
import signal
import sys
import time
import zlib
from types import FrameType

from platform_core.compute.following import Following
from platform_core.compute.payloads import take_payload
from platform_core.compute.processes import become_reaper, descendants, ending_of, signal_all, wait_until
from platform_core.light_pandera import import_pandera_lightly

TIMEOUT_VARIABLE = "HEADRACE_STEP_TIMEOUT"  # seconds from when the step begins, its code being loaded
GRACE_VARIABLE = "HEADRACE_STEP_GRACE"  # seconds between the request to end and the end by force
DEFAULT_GRACE = 10.0
LOADING = 60.0  # seconds that loading the code may take beside the time of the step

# What the exit codes of a worker say. Every other one is a crash of the step's own process.
EXIT_FINISHED = 0  # the step's events say whether it succeeded
EXIT_TIMEOUT = 124
EXIT_CANCELLED = 143


def pack(text: str) -> str:
    """A text as an environment variable or argument can carry it."""
    return base64.b64encode(zlib.compress(text.encode())).decode()


def unpack(packed: str) -> str:
    return zlib.decompress(base64.b64decode(packed)).decode()


def main() -> int:
    told = Following()
    child = os.fork()  # before anything that is worth a thread is imported
    if child == 0:
        os.setsid()
        return _execute(told)
    code = _watch_over(child, told)
    told.repeat()
    return code


def _execute(told: Following) -> int:
    text = unpack(take_payload())
    if not text:
        return EXIT_FINISHED  # it was only tried whether a step can start here
    import_pandera_lightly()
    gc.disable()  # what is loaded now stays: to look through it again and again is a fifth of loading it
    from platform_core.compute.execution import execute_step
    from platform_core.compute.requests import StepRequest
    from platform_core.logs import configure

    configure()
    execute_step(StepRequest.from_text(text), told)
    return EXIT_FINISHED


def _watch_over(child: int, told: Following) -> int:
    """Waits for the child, and ends it when its time is over or this process is asked to end."""
    become_reaper()
    asked = _Asked()
    timeout, start = float(os.environ.get(TIMEOUT_VARIABLE) or "inf"), time.monotonic()
    while not asked and time.monotonic() < (told.begun or start + LOADING) + timeout:
        status = wait_until(time.monotonic() + 0.2, child)
        told.repeat()
        if status is not None:
            _end_all()
            return _exit_code(status)
    _end(child)
    return EXIT_CANCELLED if asked else EXIT_TIMEOUT


class _Asked:
    """True once this process was asked to end."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked


def _end(child: int) -> None:
    grace = float(os.environ.get(GRACE_VARIABLE) or DEFAULT_GRACE)
    signal_all([child], signal.SIGTERM)
    wait_until(time.monotonic() + grace, child)
    _end_all()


def _end_all() -> None:
    """Ends whatever the step left behind."""
    signal_all(descendants(os.getpid()), signal.SIGKILL)


def _exit_code(status: int) -> int:
    """The child's exit code; for a signal what a shell says of it, 128 and the signal's number."""
    if os.WIFSIGNALED(status):
        _tell(f"The step's process ended with {ending_of(status)}.")
        return 128 + os.WTERMSIG(status)
    return os.waitstatus_to_exitcode(status)


def _tell(sentence: str) -> None:
    """At the end of a process that is kept from loading anything before."""
    from platform_core.logs import is_json, tell

    if is_json():
        tell("error", sentence)
    else:
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
