"""All attempts of one backend, under one lock, and what is to be done about them."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import RLock
from typing import Any

from platform_core.compute.attempts import Change, Ending
from platform_core.compute.backends.kubernetes.explain import Pod
from platform_core.compute.backends.kubernetes.manifest import ATTEMPT_LABEL, is_ours
from platform_core.compute.backends.kubernetes.records import Conclude, Deed, Record, Remove, Tell

Conclusion = Callable[[Record, Ending, Pod | None], None]


class Ledger:
    """Knows every attempt by its id. Any thread may call it; nothing in it waits for anything but its lock.

    Args:
        wake: called when there is news.
        conclude: called with an attempt that ended, its ending, and where its log is; it has to `tell` in the end.
        nudge: called when something has to be removed.
    """

    def __init__(self, wake: Callable[[], None], conclude: Conclusion, nudge: Callable[[], None]) -> None:
        self._lock = RLock()
        self._records: dict[str, Record] = {}
        self._forgotten: set[str] = set()
        self._news: deque[Change] = deque()
        self._wake = wake
        self._conclude = conclude
        self._nudge = nudge
        self._lost: dict[str, Pod] = {}

    def add(self, record: Record) -> bool:
        """Whether the attempt was unknown."""
        with self._lock:
            if record.id in self._records or record.id in self._forgotten:
                return False
            self._records[record.id] = record
            return True

    def update(self, record: Record, change: Callable[[float], list[Deed]]) -> None:
        """Changes a record at the present time, and does what follows."""
        with self._lock:
            for deed in change(time.monotonic()):
                self._do(record, deed)

    def conclude(self, record: Record, ending: Ending) -> None:
        """Ends an attempt of which nothing is left."""
        self.update(record, lambda _now: record.conclude(ending))

    def see(self, pod: Pod) -> None:
        """A pod exists. One without our labels is none of our business."""
        self._hear(pod, lambda record: partial(record.see, _slim(pod)))

    def lose(self, pod: Pod) -> None:
        """A pod no longer exists."""
        self._hear(pod, lambda record: partial(record.lose, _slim(pod)))

    def find(self, attempt_id: str) -> Record | None:
        with self._lock:
            return self._records.get(attempt_id)

    def choose(self, wanted: Callable[[Record], bool]) -> list[Record]:
        with self._lock:
            return [record for record in self._records.values() if wanted(record)]

    def begin(self, now: float) -> list[Record]:
        """The records whose Jobs are to be created now, each given out once."""
        with self._lock:
            return [record for record in self._records.values() if record.begin(now)]

    def tell(self, change: Change) -> None:
        with self._lock:
            self._news.append(change)
        self._wake()

    def take_news(self) -> Sequence[Change]:
        with self._lock:
            news = list(self._news)
            self._news.clear()
        return news

    def take_lost(self, records: Iterable[Record]) -> dict[str, Pod]:
        """The pods that somebody took away from these, by the ids of their attempts, each given out once."""
        with self._lock:
            return {record.id: self._lost.pop(record.id) for record in records if record.id in self._lost}

    def forget(self, records: Iterable[Record]) -> None:
        """They ended, this was told, and nothing of them is left."""
        with self._lock:
            for record in records:
                self._forgotten.add(record.id)
                self._records.pop(record.id, None)

    def _hear(self, pod: Pod, change: Callable[[Record], Callable[[float], list[Deed]]]) -> None:
        with self._lock:
            record = self._records.get((pod["metadata"].get("labels") or {}).get(ATTEMPT_LABEL) or "")
            if record is not None and is_ours(pod, record.order.attempt):
                self.update(record, change(record))

    def _do(self, record: Record, deed: Deed) -> None:
        match deed:
            case Tell(change):
                self.tell(change)
            case Remove(lost):
                if lost is not None:
                    self._lost[record.id] = lost
                self._nudge()
            case Conclude(ending, pod):
                self._conclude(record, ending, pod)


def _slim(pod: Pod) -> Pod:
    """The pod without what is long and never read again: the step's own payload is in it."""
    containers: list[dict[str, Any]] = [dict(one, env=None) for one in pod["spec"].get("containers") or ()]
    metadata = dict(pod["metadata"], managedFields=None)
    return {**pod, "metadata": metadata, "spec": dict(pod["spec"], containers=containers)}
