"""One thread that ends containers: in order first, by force when their time is over."""

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_core.compute.backends.container.lives import Life
from platform_core.compute.backends.container.places import EngineAway
from platform_core.compute.backends.container.refusals import EngineRefusal

if TYPE_CHECKING:
    from platform_core.compute.backends.container.engine import Engine

_AGAIN = 1.0  # seconds; a process that is asked before it has said what it does then does not hear it


@dataclass
class _Request:
    life: Life
    force_at: float
    ask_at: float = 0


class Stopper:
    """Asks containers to end until they do, and kills those that have not after `patience` seconds."""

    def __init__(self, engine: "Engine", patience: float) -> None:
        self._engine = engine
        self._patience = patience
        self._new: queue.SimpleQueue[Life | None] = queue.SimpleQueue()
        self._requests: dict[Life, _Request] = {}
        self._thread = threading.Thread(target=self._work, name="headrace-containers-stop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, life: Life) -> None:
        self._new.put(life)

    def close(self) -> None:
        self._new.put(None)

    def _work(self) -> None:
        while self._take():
            self._requests = {life: item for life, item in self._requests.items() if life.state != "ended"}
            for request in self._requests.values():
                if time.monotonic() >= request.ask_at:
                    self._ask(request)

    def _take(self) -> bool:
        """Waits until somebody may have to be asked; False when this is over."""
        try:
            life = self._new.get(timeout=_AGAIN if self._requests else None)
        except queue.Empty:
            return True
        if life is not None:
            self._requests.setdefault(life, _Request(life, time.monotonic() + self._patience))
        return life is not None

    def _ask(self, request: _Request) -> None:
        now = time.monotonic()
        request.ask_at = now + _AGAIN
        try:
            self._engine.signal(request.life.name, "SIGKILL" if now >= request.force_at else "SIGTERM")
        except (EngineAway, EngineRefusal):
            return  # it is asked again in a second, and the watcher tells of an engine that stays away
