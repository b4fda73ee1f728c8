"""How jobs are watched: a hundred per call, and as seldom as nobody notices."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from platform_core.compute.attempts import Ending, Order
from platform_core.compute.backends.batch import endings
from platform_core.compute.backends.batch.calls import CallFailed, Calls
from platform_core.compute.backends.batch.desk import Desk
from platform_core.compute.backends.batch.ender import Ender
from platform_core.compute.backends.batch.jobs import Job
from platform_core.compute.backends.batch.schedule import Schedule

logger = logging.getLogger(__name__)

LOG_CHARACTERS = 16_000
_ENDED = ("SUCCEEDED", "FAILED")
_SLOWER = 1.5  # times the pause, after a look without news
_SLOWEST = 5.0  # times the first pause
_LOG_PAUSE = 1.5  # seconds in which CloudWatch should have the last lines
_FAR_TOO_LONG = 60.0


@dataclass
class _Watched:
    job: Job
    remaining: dict[int, Order]
    counts: Mapping[str, int] = field(default_factory=dict)  # of an array's children by state, when last looked at
    looked_at: float = 0.0
    missing_since: float | None = None
    ready_since: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pace:
    """Seconds.

    Args:
        pause: between two looks while there is news.
        patience: that a job may wait for a machine before people hear of it.
        settle: after which Batch certainly knows a job.
    """

    pause: float
    patience: float
    settle: float


class Watcher:
    """Tells the desk what becomes of jobs."""

    def __init__(self, calls: Calls, desk: Desk, schedule: Schedule, ender: Ender, pace: Pace) -> None:
        self._calls, self._desk, self._schedule, self._ender, self._pace = calls, desk, schedule, ender, pace
        self._pause = pace.pause
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._polling = False

    def watch(self, job: Job) -> None:
        with self._lock:
            self._watched[job.id] = _Watched(job, dict(job.orders))
            self._pause = self._pace.pause
            if self._polling:
                return
            self._polling = True
        self._schedule.after(self._pace.pause / 2, self._poll)

    def ids_of(self, orders: Iterable[Order]) -> list[str]:
        """What to end so that these orders end: whole jobs, and children where others of their array go on."""
        asked = {order.attempt.id for order in orders}
        found: list[str] = []
        with self._lock:
            for watched in self._watched.values():
                theirs = [index for index, order in list(watched.remaining.items()) if order.attempt.id in asked]
                whole = len(theirs) == len(watched.remaining) and _is_whole(watched.job)
                found += [watched.job.id] if whole and theirs else [watched.job.id_of(index) for index in theirs]
        return found

    def _poll(self) -> None:
        try:
            self._pause = self._pause_after(self._look())
        except CallFailed as error:
            logger.warning("AWS Batch does not say how jobs are: %s", error.words)
            self._pause = min(_FAR_TOO_LONG, self._pause * 2)
        finally:  # whatever happens, somebody must go on looking, or a run would wait for ever
            with self._lock:
                self._polling = bool(self._watched)
            if self._polling:
                self._schedule.after(self._pause, self._poll)

    def _pause_after(self, news: bool) -> float:
        return self._pace.pause if news else min(self._pause * _SLOWER, self._pace.pause * _SLOWEST)

    def _look(self) -> bool:
        """One look at everything; whether there was news."""
        with self._lock:
            watched = list(self._watched.values())
        found = self._calls.describe(one.job.id for one in watched)
        arrays = [one for one in watched if one.job.is_array and self._is_worth_a_look(one, found.get(one.job.id))]
        found |= self._calls.describe(one.job.id_of(index) for one in arrays for index in list(one.remaining))
        looks = [self._look_at(one, found) for one in watched if not one.job.is_array or one in arrays]
        return any(looks)

    def _is_worth_a_look(self, array: _Watched, parent: endings.Job | None) -> bool:
        """Whether a child of an array can have changed: states only go forward, so that their counts tell."""
        counts = (parent or {}).get("arrayProperties", {}).get("statusSummary", {})
        now = time.monotonic()
        if counts and counts == array.counts and now - array.looked_at < self._pace.patience:
            return False
        array.counts, array.looked_at = counts, now
        return True

    def _look_at(self, watched: _Watched, found: Mapping[str, endings.Job]) -> bool:
        parent = found.get(watched.job.id)
        self._count_as_missing(watched, parent is None)
        before = len(watched.remaining), len(watched.ready_since)
        for index, order in list(watched.remaining.items()):
            job = found.get(watched.job.id_of(index))
            if job is None and parent is not None and parent["status"] in _ENDED:
                job = parent  # an array that ended before it had children
            if job is not None and index in watched.remaining:
                self._look_at_one(watched, index, order, job)
        self._forget_ended(watched)
        return before != (len(watched.remaining), len(watched.ready_since))

    def _look_at_one(self, watched: _Watched, index: int, order: Order, job: endings.Job) -> None:
        if job["status"] in _ENDED:
            del watched.remaining[index]
            self._end(watched.job, order, job)
        elif job["status"] == "RUNNING":
            watched.ready_since.pop(index, None)
            self._desk.runs(order.attempt)
        elif job["status"] == "RUNNABLE":
            self._look_at_waiting(watched, index, order, job)

    def _look_at_waiting(self, watched: _Watched, index: int, order: Order, job: endings.Job) -> None:
        since = watched.ready_since.setdefault(index, time.monotonic())
        if endings.is_impossible(job):
            self._refuse(watched, job)
        elif job.get("statusReason") or time.monotonic() - since >= self._pace.patience:
            self._desk.waits(order.attempt, endings.waiting_sentence(job, watched.job.queue, watched.job.need))

    def _refuse(self, watched: _Watched, job: endings.Job) -> None:
        """Ends a job that no machine is large enough for, and with it all like it: it would wait for ever."""
        sentence = endings.impossible_sentence(job, watched.job.queue, watched.job.need)
        orders = list(watched.remaining.values())
        self._ender.end(self.ids_of(orders), endings.TOO_BIG)
        for order in orders:
            self._desk.ends(order.attempt, Ending("refused", sentence))
        watched.remaining.clear()

    def _end(self, own: Job, order: Order, job: endings.Job) -> None:
        ending = endings.ending_of(job, order, own.need, self._desk.is_unwanted(order))
        stream = endings.log_stream_of(job)
        if ending.kind in ("finished", "cancelled", "refused") or not stream:
            self._desk.ends(order.attempt, ending)
        else:
            self._schedule.soon(self._end_with_log, own, order, ending, stream)

    def _end_with_log(self, own: Job, order: Order, ending: Ending, stream: str, again: bool = True) -> None:
        try:
            log = self._calls.log_tail(own.log_group, stream)[-LOG_CHARACTERS:]
        except CallFailed as error:
            log = f"CloudWatch does not give the log: {error.words}."
        if not log and again:
            self._schedule.after(_LOG_PAUSE, self._end_with_log, own, order, ending, stream, False)
        else:
            self._desk.ends(order.attempt, Ending(ending.kind, ending.sentence, log))

    def _count_as_missing(self, watched: _Watched, missing: bool) -> None:
        now = time.monotonic()
        watched.missing_since = (watched.missing_since or now) if missing else None
        if watched.missing_since is not None and now - watched.missing_since > self._pace.settle:
            for order in watched.remaining.values():
                self._desk.ends(order.attempt, Ending("vanished", "AWS Batch does not know its job any more."))
            watched.remaining.clear()

    def _forget_ended(self, watched: _Watched) -> None:
        if not watched.remaining:
            with self._lock:
                self._watched.pop(watched.job.id, None)


def _is_whole(job: Job) -> bool:
    """Whether every child of the job is one of its orders: an adopted array may have others."""
    return not job.is_array or job.name.endswith(f"-x{len(job.orders)}")
