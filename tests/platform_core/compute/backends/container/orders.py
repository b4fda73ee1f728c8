"""Orders of the tests, and containers that run a few lines of Python instead of a step."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.container.backend import ContainerBackend
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from tests.platform_core.compute.support.images import IMAGE

# Stands where the worker is expected, and does what the order's payload says.
STAND_IN = "import os\nexec(os.environ['HEADRACE_STEP'])\n"
PATIENCE = 60  # seconds for which a test waits for news on a busy machine


def an_order(
    payload: str = "", run: str = "run-1", step: str = "features__rides", number: int = 1, **said: Any
) -> Order:
    """An order with everything that is not said left as it usually is; `compute` and `profile` take keywords."""
    # A run of its own for every test process, so that nobody else's containers are met in a shared engine.
    run = f"{run}-{os.getpid()}"
    variables = {"PYTHONPATH": "/stand-in"} | said.pop("variables", {})
    labels = {"headrace/namespace": "user/tess", "headrace/run": run, "headrace/owner": "tess"}
    return Order(
        Attempt(run, step, number),
        Compute(**said.pop("compute", {})),
        Profile(**said.pop("profile", {})),
        payload,
        labels=labels,
        variables=variables,
        **said,
    )


def stand_in(folder: Path) -> str:
    """A mount that puts the stand-in in the place of the worker's module."""
    package = folder / "platform_core" / "compute"
    package.mkdir(parents=True)
    (package / "worker.py").write_text(STAND_IN)
    return f"{folder}:/stand-in:ro"


class Heard:
    """A backend and all that it ever said."""

    def __init__(self, backend: ContainerBackend) -> None:
        self.backend = backend
        self.changes: list[Change] = []
        self._news = threading.Event()
        backend.wake = self._news.set

    def launch(self, *orders: Order) -> None:
        self.backend.launch(orders)

    def until(self, condition: Callable[[], Any]) -> None:
        """Listens until something is true; a test fails that waits too long."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"nothing but {self.changes}"
            self._news.wait(0.2)
            self._news.clear()
            self.changes += self.backend.changes()

    def states(self, order: Order) -> Sequence[str]:
        return [change.state for change in self.changes if change.attempt == order.attempt]

    def until_running(self, order: Order) -> None:
        self.until(lambda: "running" in self.states(order))

    def ending(self, order: Order) -> Ending:
        """How an order ended, once it did."""
        self.until(lambda: "ended" in self.states(order))
        (ending,) = (
            change.ending for change in self.changes if change.attempt == order.attempt and change.state == "ended"
        )
        assert ending is not None
        return ending

    def end_of(self, payload: str, **said: Any) -> Ending:
        """Launches an order and waits for its end."""
        order = an_order(payload, **said)
        self.launch(order)
        return self.ending(order)


def a_backend(folder: Path, **said: Any) -> ContainerBackend:
    options = {"network": "none"} | said.pop("options", {})
    mounts = [stand_in(folder), *said.pop("mounts", ())]
    return ContainerBackend(IMAGE, **{"grace": 1} | said, mounts=mounts, options=options)
