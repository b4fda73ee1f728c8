"""A limit of time for one trial of several in a process."""

import faulthandler
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 2.0  # seconds in which code that is asked to end may still do so


class TooLong(BaseException):
    """Ends a trial that takes too long; nobody's `except Exception` stops it."""


@contextmanager
def at_most(seconds: float | None) -> Iterator[None]:
    """Interrupts what takes longer. Where that is of no use, as inside a library's own code, the process ends."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, interrupt)
    faulthandler.dump_traceback_later(seconds + GRACE, exit=True)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
