"""One thread that hears what happens to containers, by the engine's event stream and not by asking again and again."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from platform_core.compute.backends.container.places import EngineAway
from platform_core.compute.backends.container.refusals import EngineRefusal

if TYPE_CHECKING:
    from platform_core.compute.backends.container.engine import Engine

_TURN = 60.0  # seconds after which a stream is opened anew, so that one which died in silence is noticed
_EARLY = 3.0  # seconds that an engine's clock may be ahead
_PAUSES = (0.1, 5.0)  # the first and the longest pause between two tries to reach the engine


class Watcher:
    """Follows the stream, and lists all containers whenever a stream begins, for what happened before.

    Args:
        listed: is told all containers of ours by name, and whether each is running.
        happened: is told a container's name and what happened: `die`, `destroy`, `oom`, `kill`.
        unreachable: is told for how many seconds the engine has not answered, and why.
    """

    def __init__(
        self,
        engine: "Engine",
        listed: Callable[[Mapping[str, bool]], None],
        happened: Callable[[str, str, str], None],
        unreachable: Callable[[float, str], None],
    ) -> None:
        self._engine = engine
        self._listed = listed
        self._happened = happened
        self._unreachable = unreachable
        self._stream: Any = None
        self._closed = threading.Event()
        self._last_answer = time.monotonic()
        self._pause = _PAUSES[0]
        self._thread = threading.Thread(target=self._watch, name="headrace-containers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends the thread; a stream that cannot be broken off keeps it for at most a minute, and nobody waiting."""
        self._closed.set()
        if (stream := self._stream) is not None:
            with suppress(OSError, AttributeError):  # it is ending by itself at this moment
                stream.close()

    def _watch(self) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                self._follow()
            except (EngineAway, EngineRefusal) as error:
                self._unreachable(time.monotonic() - self._last_answer, str(error))
            if time.monotonic() - began < 1:  # it is away, or its clock is ahead of this machine's
                self._closed.wait(self._pause)
                self._pause = min(2 * self._pause, _PAUSES[1])

    def _follow(self) -> None:
        """Hears a stream to its end.

        Raises:
            EngineAway: it cannot be opened, or ends before its time.
        """
        end = time.monotonic() + _TURN
        with self._engine.events(_TURN) as stream:
            self._stream = stream
            self._listed(self._engine.running())
            self._pause = _PAUSES[0]
            for event in stream:
                self._hear(event)
        self._last_answer = time.monotonic()
        if self._last_answer < end - _EARLY and not self._closed.is_set():
            raise EngineAway("The container engine broke off its event stream.")

    def _hear(self, event: Mapping[str, Any]) -> None:
        attributes = event["Actor"]["Attributes"]
        self._happened(attributes.get("name", ""), event["Action"], attributes.get("signal", ""))
