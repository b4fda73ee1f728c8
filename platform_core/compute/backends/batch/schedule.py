"""Work that is done in other threads: at once, or after a while."""

import heapq
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

logger = logging.getLogger(__name__)


class Schedule:
    """A few threads for calls that take time, and one that looks at the clock. They begin with the first work."""

    def __init__(self, threads: int = 8) -> None:
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._news = threading.Condition()
        self._closed = False

    def soon(self, work: Callable[..., None], *args: Any) -> None:
        self.after(0, work, *args)

    def after(self, seconds: float, work: Callable[..., None], *args: Any) -> None:
        """Does the work after some seconds. Nothing is done once this is closed."""
        with self._news:
            if self._closed:
                return
            if self._pool is None:
                self._open()
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), lambda: _do(work, *args)))
            self._news.notify()

    def close(self) -> None:
        """Forgets what is due; calls under way come to their end by themselves."""
        with self._news:
            self._closed = True
            self._due.clear()
            self._news.notify()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _open(self) -> None:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="headrace-batch")
        threading.Thread(target=self._look_at_the_clock, name="headrace-batch-clock", daemon=True).start()

    def _look_at_the_clock(self) -> None:
        with self._news:
            while not self._closed:
                pause = self._due[0][0] - time.monotonic() if self._due else None
                if pause is None or pause > 0:
                    self._news.wait(pause)
                elif self._pool is not None:
                    self._pool.submit(heapq.heappop(self._due)[2])


def _do(work: Callable[..., None], *args: Any) -> None:
    try:
        work(*args)
    except Exception:
        # Nobody waits for the result of work in another thread, so that this is where a defect must show.
        logger.exception("The Batch backend could not do %s.", getattr(work, "__name__", work))
