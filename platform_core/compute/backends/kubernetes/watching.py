"""The one watch over the pods of a run: it lists once, then hears what is new, and survives whatever ends it."""

import logging
import random
import time
from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import Any, Protocol

from platform_core.compute.backends.kubernetes.api import GONE, Api, ApiError, Watching

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0
_SHORT = 5.0  # seconds: a watch that ends sooner is in trouble, even where it ends without an error


Key = tuple[str, str]  # the Kubernetes namespace and the run that a watch is for


class Backoff:
    """Pauses in seconds, each about twice the one before, until there is a success."""

    def __init__(self) -> None:
        self._next = _FIRST_PAUSE

    def pause(self) -> float:
        pause, self._next = self._next, min(self._next * 2, _LONGEST_PAUSE)
        return pause * random.uniform(0.75, 1.25)  # or all run workers would come back at once

    def reset(self) -> None:
        self._next = _FIRST_PAUSE


class Listener(Protocol):
    """Who wants to know."""

    def pods_listed(self, watch: "PodWatch", pods: Sequence[dict[str, Any]]) -> None: ...

    def pod_changed(self, pod: dict[str, Any]) -> None: ...

    def pod_gone(self, pod: dict[str, Any]) -> None: ...

    def watch_broke(self, watch: "PodWatch", error: ApiError) -> None: ...


class PodWatch:
    """Watches the pods that a selector chooses, in a thread of its own. `listed` says whether it ever saw them."""

    def __init__(self, api: Api, key: Key, selector: str, listener: Listener) -> None:
        self.key = key
        self.namespace = key[0]
        self.selector = selector
        self.listed = False
        self._api = api
        self._listener = listener
        self._stopped = Event()
        self._lock = Lock()
        self._running: Watching | None = None
        self._heard = ""  # the version of the last thing that was heard; nothing: list anew
        self._thread = Thread(target=self._run, name=f"headrace-pods-{key[0]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        with self._lock:
            if self._running is not None:
                self._running.stop()
        if self._thread.is_alive():
            self._thread.join(5)

    def give_up(self) -> None:
        """Ends the watch from within: its listener has no use for it."""
        self._stopped.set()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                if not self._heard:
                    self._list()
                self._follow()
            except ApiError as error:
                self._broke(error)
            except Exception as error:  # one odd pod must not make the run deaf
                _log.exception("Watching pods in the namespace '%s' failed; they are listed anew.", self.namespace)
                self._heard = ""
                self._broke(ApiError(0, repr(error)))
            if time.monotonic() - began < _SHORT:
                self._stopped.wait(backoff.pause())
            else:
                backoff.reset()

    def _broke(self, error: ApiError) -> None:
        """What the server no longer remembers is listed anew; after anything else the watch goes on where it broke."""
        if self._stopped.is_set():
            return
        if error.status == GONE:
            self._heard = ""
        self._listener.watch_broke(self, error)

    def _list(self) -> None:
        pods, self._heard = self._api.pods(self.namespace, self.selector)
        self.listed = True
        self._listener.pods_listed(self, pods)

    def _follow(self) -> None:
        """Hears what is new until the server ends the watch."""
        with self._api.watch_pods(self.namespace, self.selector, self._heard) as watching:
            with self._lock:
                self._running = watching
            try:
                for kind, thing in watching:
                    self._heard = thing["metadata"]["resourceVersion"]
                    self._hear(kind, thing)
            finally:
                with self._lock:
                    self._running = None

    def _hear(self, kind: str, thing: dict[str, Any]) -> None:
        if kind == "DELETED":
            self._listener.pod_gone(thing)
        elif kind in ("ADDED", "MODIFIED"):
            self._listener.pod_changed(thing)
