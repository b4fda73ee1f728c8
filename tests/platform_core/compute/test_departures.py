"""What is ready to start leaves in order, as far as there is room."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute import departures
from platform_core.compute.departures import Departures, Task
from platform_core.compute.spec import BackendName

NAMES: tuple[BackendName, ...] = ("local", "batch")


class Pool:
    """Backends that take so many orders until they are emptied."""

    def __init__(self, **room: int) -> None:
        self.room = room

    def backend(self, name: BackendName) -> Any:
        return SimpleNamespace(has_room=self.room.get(name, 1000) > 0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(departures, "time", clock)
    return clock


def task(key: str, priority: int = 0, partition: str = "") -> Task:
    step: Any = SimpleNamespace(key=key, tags={"dagster/priority": str(priority)} if priority else {})
    return Task(step, partition)


def gone(waiting: Departures, pool: Pool, in_flight: int = 0) -> list[str]:
    """The steps that leave, in order; each takes a place of its backend."""
    found: list[str] = []
    for backend, tasks in waiting.leave(in_flight):
        pool.room[backend] = pool.room.get(backend, 1000) - len(tasks)
        found += [task.step.key for task in tasks]
    return found


def departing(most: int | None = None, **room: int) -> tuple[Departures, Pool]:
    pool = Pool(**room)
    return Departures(pool, most), pool  # type: ignore[arg-type]


def test_tasks_leave_in_the_order_in_which_they_came() -> None:
    waiting, pool = departing()
    for key in "abc":
        waiting.hold(task(key), "batch")
    waiting.hold_first(task("again"), "batch")
    assert gone(waiting, pool) == ["again", "a", "b", "c"]
    assert gone(waiting, pool) == []


def test_the_more_urgent_overtakes_what_waits() -> None:
    waiting, pool = departing(local=1)
    for key, priority in (("a", 0), ("low", -1), ("b", 0)):
        waiting.hold(task(key, priority), "local")
    assert gone(waiting, pool) == ["a"]
    waiting.hold(task("urgent", 5), "local")
    waiting.hold_first(task("again"), "local")
    pool.room["local"] = 9
    assert gone(waiting, pool) == ["urgent", "again", "b", "low"]


def test_a_full_backend_holds_up_no_other() -> None:
    waiting, pool = departing(local=1)
    for key in "abc":
        waiting.hold(task(key), "local")
    waiting.hold(task("elsewhere"), "batch")
    assert gone(waiting, pool) == ["a", "elsewhere"]


def test_remote_tasks_leave_together_and_local_ones_one_by_one() -> None:
    waiting, _ = departing(most=5)
    for key in "abcd":
        waiting.hold(task(key), "batch")
        waiting.hold(task(key), "local")
    assert [(backend, len(tasks)) for backend, tasks in waiting.leave(0)] == [("batch", 4), ("local", 1)]


def test_a_task_leaves_when_its_time_has_come(clock: Clock) -> None:
    waiting, pool = departing()
    assert waiting.due() is None
    waiting.hold_for(task("late"), "batch", 20)
    waiting.hold_for(task("soon"), "batch", 10)
    assert waiting.due() == 10
    assert gone(waiting, pool) == []
    clock.now += 10
    assert gone(waiting, pool) == ["soon"]
    assert waiting.due() == 10
    clock.now += 99
    assert waiting.due() == 0
    assert gone(waiting, pool) == ["late"]
    assert waiting.due() is None


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-2, 2), st.booleans()), max_size=30),
    st.one_of(st.none(), st.integers(1, 8)),
    st.lists(st.integers(0, 3), min_size=1, max_size=40),
)
def test_every_task_leaves_once_and_never_more_than_may(
    held: list[tuple[BackendName, int, bool]], most: int | None, ending: list[int]
) -> None:
    waiting, pool = departing(most)
    for number, (backend, priority, first) in enumerate(held):
        (waiting.hold_first if first else waiting.hold)(task(str(number), priority), backend)
    left: list[str] = []
    in_flight = 0
    for ended in _for_ever(ending):
        some = gone(waiting, pool, in_flight)
        left += some
        in_flight += len(some)
        assert most is None or in_flight <= most
        if not in_flight:
            break
        in_flight -= min(max(ended, 1), in_flight)
    assert sorted(left) == sorted(str(number) for number in range(len(held)))


def _for_ever(numbers: list[int]) -> Iterator[int]:
    while True:
        yield from numbers
