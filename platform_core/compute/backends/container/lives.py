"""What the backend knows of the attempts that it was given, and the news of them that nobody has heard yet."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from platform_core.compute.attempts import Attempt, Change, Ending, Order


@dataclass(eq=False)
class Life:
    """An attempt from launch to end. `lock` is held while its container is made or its end is found out.

    Args:
        owned: whether there is a container that was made for it, and that may hence be removed.
        asked: whether it was asked to end.
        unwatched: whether it may have met with something while nobody watched.
        lacked_memory: whether the engine told that a process of it was killed for memory.
        signals: numbers of the signals that others sent it through the engine.
        given_up: whether it was told as vanished without anybody having seen it end.
    """

    order: Order
    state: Literal["starting", "running", "ended"] = "starting"
    owned: bool = False
    asked: bool = False
    unwatched: bool = False
    lacked_memory: bool = False
    signals: tuple[str, ...] = ()
    given_up: bool = False
    waits_for: str = ""
    last: Change | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def attempt(self) -> Attempt:
        return self.order.attempt

    @property
    def name(self) -> str:
        """Of its container."""
        return self.order.attempt.id


class Lives:
    """All attempts by the names of their containers, and their news; for any thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._lives: dict[str, Life] = {}
        self._news: list[Change] = []
        self._told: list[Life] = []

    def add(self, order: Order) -> Life | None:
        """A new life, or None when the attempt is known: when its end was told already, it is told again."""
        with self._lock:
            known = self._lives.get(order.attempt.id)
            if known is None:
                return self._lives.setdefault(order.attempt.id, Life(order))
            if known.last is not None and known.last not in self._news:
                self._news.append(known.last)
        self._wake()
        return None

    def get(self, name: str) -> Life | None:
        with self._lock:
            return self._lives.get(name)

    def __iter__(self) -> Iterator[Life]:
        with self._lock:
            return iter(list(self._lives.values()))

    def tell(self, life: Life, state: Literal["waiting", "running"], sentence: str) -> None:
        self._append(Change(life.attempt, state, sentence))

    def wait(self, life: Life, sentence: str) -> None:
        """Tells what an attempt waits for, unless that was told before."""
        if life.waits_for != sentence:
            life.waits_for = sentence
            self.tell(life, "waiting", sentence)

    def end(self, life: Life, ending: Ending) -> None:
        """Tells how an attempt ended, once."""
        with life.lock:
            if life.state == "ended":
                return
            life.state = "ended"
            life.last = Change(life.attempt, "ended", ending=ending)
        self._append(life.last)

    def news(self) -> Sequence[Change]:
        with self._lock:
            news, self._news = self._news, []
            self._told += [self._lives[change.attempt.id] for change in news if change.state == "ended"]
        return news

    def told(self) -> Sequence[Life]:
        """The attempts whose end was told since the last call, of which nothing needs to be kept."""
        with self._lock:
            told, self._told = self._told, []
        return told

    def _append(self, change: Change) -> None:
        with self._lock:
            self._news.append(change)
        self._wake()
