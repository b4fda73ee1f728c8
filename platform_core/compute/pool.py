"""The backends of one run worker: made when they are needed, and listened to together."""

import os
import selectors
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from platform_core.compute.attempts import Attempt, Change, Order
from platform_core.compute.backends.backend import Backend
from platform_core.compute.backends.local.backend import LocalBackend
from platform_core.compute.backends.local.zygote import Execute
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import BackendName


class BackendPool:
    """Hands each order to its backend, and waits for news of any of them."""

    def __init__(self, table: ComputeTable, execute: Execute, outlive: bool) -> None:
        self._table = table
        self._execute = execute
        self._outlive = outlive
        self._open: dict[BackendName, Backend] = {}
        self._at: dict[Attempt, BackendName] = {}
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)

    def backend(self, name: BackendName) -> Backend:
        """The backend, made at the first call. The local one has to be the first: it forks this process."""
        if name not in self._open:
            backend = LocalBackend(self._execute, self._outlive) if name == "local" else self._table.backends[name]()
            backend.wake = self.wake
            self._open[name] = backend
            if isinstance(backend, LocalBackend):
                self._selector.register(backend, selectors.EVENT_READ)
        return self._open[name]

    def open(self, names: Collection[BackendName]) -> None:
        """Makes backends before the others, the local one first: it forks this process, which has no threads yet."""
        for name in sorted(names, key=lambda name: name != "local"):
            self.backend(name)

    def launch(self, name: BackendName, orders: Sequence[Order]) -> None:
        self._at.update({order.attempt: name for order in orders})
        self.backend(name).launch(orders)

    def terminate(self, attempts: Iterable[Attempt]) -> None:
        together: dict[BackendName, list[Attempt]] = defaultdict(list)
        for attempt in attempts:
            if attempt in self._at:  # else it was not launched yet
                together[self._at[attempt]].append(attempt)
        for name, some in together.items():
            self.backend(name).terminate(some)

    def changes(self) -> Sequence[Change]:
        return [change for backend in self._open.values() for change in backend.changes()]

    def wake(self) -> None:
        """Ends a `wait`, now or the next one. Any thread may call it."""
        try:
            os.write(self._wake, b".")
        except BlockingIOError:
            return  # enough are in the pipe to wake whoever waits

    def wait(self, seconds: float) -> None:
        """Returns when a backend has news, or after some seconds."""
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.fd == self._woken:
                os.read(self._woken, 4096)

    def close(self) -> None:
        for backend in self._open.values():
            backend.close()
        self._selector.close()
        os.close(self._woken)
        os.close(self._wake)
