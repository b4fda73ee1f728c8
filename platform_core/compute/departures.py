"""What is ready to start: kept until there is room where it belongs."""

import heapq
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from platform_core.compute.pool import BackendPool
from platform_core.compute.spec import BackendName
from platform_core.dagster_internals import ExecutionStep

PRIORITY_TAG = "dagster/priority"
Key = tuple[str, str]  # of a step, and of its partition where partitions run side by side


@dataclass(frozen=True)
class Task:
    """A step to execute, or one partition of it."""

    step: ExecutionStep
    partition: str = ""

    @property
    def key(self) -> Key:
        return self.step.key, self.partition


class Departures:
    """Tasks by the backend that they wait for, the most urgent first, and those that wait for their time.

    Args:
        most: how many tasks of the run may be executed at once.
    """

    def __init__(self, pool: BackendPool, most: int | None) -> None:
        self._pool = pool
        self._most = most
        self._held: dict[BackendName, list[tuple[int, int, Task]]] = defaultdict(list)
        self._later: list[tuple[float, int, BackendName, Task]] = []
        self._numbers = itertools.count()  # so that the heaps never compare tasks
        self._numbers_before = itertools.count(-1, -1)

    def hold(self, task: Task, backend: BackendName) -> None:
        heapq.heappush(self._held[backend], (-_priority(task), next(self._numbers), task))

    def hold_first(self, task: Task, backend: BackendName) -> None:
        """For one that had its turn already: before all others that are as urgent."""
        heapq.heappush(self._held[backend], (-_priority(task), next(self._numbers_before), task))

    def hold_for(self, task: Task, backend: BackendName, seconds: float) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), backend, task))

    def due(self) -> float | None:
        """Seconds until the next one's time comes."""
        return max(0.0, self._later[0][0] - time.monotonic()) if self._later else None

    def leave(self, in_flight: int) -> Iterator[tuple[BackendName, list[Task]]]:
        """What can start now beside those that are executed already; together what its backend takes together."""
        while self._later and self.due() == 0:
            _, _, backend, task = heapq.heappop(self._later)
            self.hold(task, backend)
        for backend, held in self._held.items():
            while held and self._pool.backend(backend).has_room and (room := self._room(in_flight)):
                count = 1 if backend == "local" else min(len(held), room)
                in_flight += count
                yield backend, [heapq.heappop(held)[2] for _ in range(count)]

    def _room(self, in_flight: int) -> int:
        return sys.maxsize if self._most is None else max(0, self._most - in_flight)


def _priority(task: Task) -> int:
    return int(task.step.tags.get(PRIORITY_TAG, 0))
