"""What is known of every attempt, and the news that was not told yet: the one thing that all threads share."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from platform_core.compute.attempts import Attempt, Change, Ending, Order


@dataclass
class _File:
    order: Order
    said: str = ""  # the last sentence while it waited
    running: bool = False
    ended: Change | None = None
    told: bool = False  # its end was handed out
    unwanted: bool = False


class Desk:
    """Told by threads of the backend, asked by the executor's."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._files: dict[str, _File] = {}
        self._news: deque[Change] = deque()

    def take(self, order: Order) -> bool:
        """Opens a file. False when there is one; its end is told again when that was told already."""
        with self._lock:
            known = self._files.setdefault(order.attempt.id, new := _File(order))
            if known is new:
                return True
            if known.ended and known.told:
                known.told = False
                self._news.append(known.ended)
        self._wake()
        return False

    def waits(self, attempt: Attempt, sentence: str) -> None:
        """Tells what it waits for, when that is something new."""
        with self._lock:
            file = self._files[attempt.id]
            if file.running or file.ended or file.said == sentence:
                return
            file.said = sentence
            self._news.append(Change(attempt, "waiting", sentence))
        self._wake()

    def runs(self, attempt: Attempt) -> None:
        with self._lock:
            file = self._files[attempt.id]
            if file.running or file.ended:
                return
            file.running = True
            self._news.append(Change(attempt, "running"))
        self._wake()

    def ends(self, attempt: Attempt, ending: Ending) -> None:
        """Tells an end; an attempt has only one."""
        with self._lock:
            file = self._files[attempt.id]
            if file.ended:
                return
            file.ended = Change(attempt, "ended", ending.sentence, ending)
            self._news.append(file.ended)
        self._wake()

    def drain(self) -> Sequence[Change]:
        with self._lock:
            news = list(self._news)
            self._news.clear()
            for change in news:
                self._files[change.attempt.id].told |= change.state == "ended"
        return news

    def ask_to_end(self, attempts: Collection[Attempt]) -> list[Order]:
        """Marks attempts as unwanted, and gives the orders of those that have not ended."""
        with self._lock:
            files = [file for attempt in attempts if (file := self._files.get(attempt.id)) and not file.ended]
            for file in files:
                file.unwanted = True
        return [file.order for file in files]

    def is_unwanted(self, order: Order) -> bool:
        with self._lock:
            return self._files[order.attempt.id].unwanted

    def has_ended(self, order: Order) -> bool:
        with self._lock:
            return self._files[order.attempt.id].ended is not None

    def was_told(self, order: Order) -> bool:
        """Whether its end was handed out."""
        with self._lock:
            return self._files[order.attempt.id].told

    def runs_that_are_over(self) -> list[str]:
        """The runs of which every attempt ended and was told."""
        with self._lock:
            open_runs = {file.order.attempt.run_id for file in self._files.values() if not file.told}
            return sorted({file.order.attempt.run_id for file in self._files.values()} - open_runs)
