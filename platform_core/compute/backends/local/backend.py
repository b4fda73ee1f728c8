"""Steps as local processes: admitted as far as this machine has room, forked by a zygote, adopted from its records."""

import signal
import sys
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.backend import Backend
from platform_core.compute.backends.local.limits import machine_limits, thread_variables
from platform_core.compute.backends.local.lines import Lines
from platform_core.compute.backends.local.records import Records
from platform_core.compute.backends.local.server import REFUSED
from platform_core.compute.backends.local.zygote import Execute, Start
from platform_core.compute.processes import descendants, signal_all
from platform_core.compute.profiles import Limits
from platform_core.compute.spec import BackendName
from platform_core.environments.environment import VARIABLE

PATIENCE = 2.0  # seconds that a zygote may take to write down how a step ended
UNSEEN = Ending("vanished", "Its process is gone, and nobody saw how it ended.")
GRACE = 5.0  # seconds that a step has to end in order once it was asked to


@dataclass
class _Running:
    order: Order
    adopted: bool = False  # started by an earlier run worker, hence watched by its records
    gone_since: float = 0.0
    force_at: float = float("inf")  # when an adopted one is ended by force that was asked to end


class LocalBackend(Backend):
    """Steps on this machine.

    Args:
        execute: what a forked process does with a step; it returns when the step has ended.
        outlive: whether steps go on when this process dies, for a later one to take charge of.
    """

    name: ClassVar[BackendName] = "local"

    def __init__(self, execute: Execute, outlive: bool = False, grace: float = GRACE) -> None:
        super().__init__()
        self._limits = machine_limits()
        self._grace = grace
        self._waiting: OrderedDict[Attempt, Order] = OrderedDict()
        self._running: dict[str, _Running] = {}
        self._news: list[Change] = []
        self._lines = Lines(execute, outlive, sys.executable)
        self._lines.prepare()

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def has_room(self) -> bool:
        """One order waits at most, so that the others can still be overtaken by more urgent ones."""
        return not self._waiting

    def fileno(self) -> int:
        """Readable when a zygote has news."""
        return self._lines.fileno()

    def launch(self, orders: Sequence[Order]) -> None:
        for order in orders:
            if order.attempt in self._waiting or order.attempt.id in self._running:
                continue
            records = _records(order)
            if (ending := records.ending(order.attempt)) is not None:
                self._news.append(Change(order.attempt, "ended", ending=ending))
            elif records.pid(order.attempt) is not None:
                self._running[order.attempt.id] = _Running(order, adopted=True)
            else:
                self._waiting[order.attempt] = order
        self._admit()

    def changes(self) -> Sequence[Change]:
        for interpreter, news in self._lines.news():
            self._take(interpreter, news)
        self._news += self._endings_of_adopted()
        self._admit()
        news, self._news = self._news, []
        return news

    def terminate(self, attempts: Collection[Attempt]) -> None:
        for attempt in attempts:
            if self._waiting.pop(attempt, None):
                self._news.append(Change(attempt, "ended", ending=Ending("cancelled", "It was cancelled.")))
            elif running := self._running.get(attempt.id):
                self._end(running)

    def close(self) -> None:
        self._lines.close()

    def _admit(self) -> None:
        """Starts what there is room for, in the order in which it was asked for."""
        while self._waiting:
            order = next(iter(self._waiting.values()))
            if not self._has_room_for(order):
                return
            del self._waiting[order.attempt]
            self._running[order.attempt.id] = _Running(order)
            plan = order.variables.get(VARIABLE, "")
            self._lines.open(order.interpreter, lambda order=order: order.payload, plan)  # type: ignore[misc]
            self._lines.send(order.interpreter, _start(order, self._grace))

    def _has_room_for(self, order: Order) -> bool:
        running = [item.order.compute for item in self._running.values()]
        processors = sum(compute.cpu for compute in running) + order.compute.cpu
        memory = sum(compute.memory_bytes or 0 for compute in running) + (order.compute.memory_bytes or 0)
        return processors <= (self._limits.cpu or 1) and memory <= (self._limits.memory_bytes or memory)

    def _take(self, interpreter: str, news: tuple[str, str, int | Ending] | None) -> None:
        if news is None:
            self._orphan(interpreter)
            return
        kind, attempt, content = news
        if kind == REFUSED and isinstance(content, Ending):
            self._refuse(interpreter, content)
            return
        running = self._running[attempt]
        if isinstance(content, Ending):
            del self._running[attempt]
            self._news.append(Change(running.order.attempt, "ended", ending=content))
        else:
            self._news.append(Change(running.order.attempt, "running"))

    def _refuse(self, interpreter: str, ending: Ending) -> None:
        for running in [item for item in self._running.values() if item.order.interpreter == interpreter]:
            del self._running[running.order.attempt.id]
            self._news.append(Change(running.order.attempt, "ended", ending=ending))

    def _orphan(self, interpreter: str) -> None:
        """Watches the steps of a zygote that is gone by their records; those that never began have none."""
        for running in self._running.values():
            running.adopted = running.adopted or running.order.interpreter == interpreter

    def _endings_of_adopted(self) -> Iterator[Change]:
        for item in [item for item in self._running.values() if item.adopted]:
            records, attempt = _records(item.order), item.order.attempt
            if pid := records.pid(attempt):
                if time.monotonic() >= item.force_at:
                    signal_all([*descendants(pid), pid], signal.SIGKILL)
                continue
            # Its zygote writes how it ended a moment after it is gone, unless that is gone too.
            item.gone_since = item.gone_since or time.monotonic()
            ending = records.ending(attempt)
            if ending or time.monotonic() - item.gone_since > PATIENCE:
                del self._running[attempt.id]
                yield Change(attempt, "ended", ending=ending or UNSEEN)

    def _end(self, running: _Running) -> None:
        if not running.adopted:
            self._lines.send(running.order.interpreter, running.order.attempt.id)
        elif pid := _records(running.order).pid(running.order.attempt):
            running.force_at = min(running.force_at, time.monotonic() + self._grace)
            signal_all([*descendants(pid), pid], signal.SIGTERM)


def _records(order: Order) -> Records:
    if order.folder is None:
        raise ValueError("A step on this machine needs a folder for its records.")
    return Records(order.folder)


def _start(order: Order, grace: float) -> Start:
    compute = order.compute
    return Start(
        attempt=order.attempt.id,
        payload=order.payload,
        folder=str(order.folder),
        cpu=compute.cpu,
        memory=compute.memory_bytes,
        timeout=compute.timeout_seconds,
        grace=grace,
        variables={**thread_variables(compute.cpu), **order.variables},
    )
