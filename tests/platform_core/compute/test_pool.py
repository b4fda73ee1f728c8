"""The backends of a run worker, made when they are needed and listened to together."""

import threading
import time
from collections.abc import Iterator

import pytest

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.placement import ComputeTable
from platform_core.compute.pool import BackendPool
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from tests.platform_core.compute.doubles import ScriptedBackend

ORDERS = [Order(Attempt("run", name), Compute(), Profile(), "") for name in "ab"]


class Both:
    """A pool of two backends, of which nothing ends before it is terminated."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.batch, self.container = (ScriptedBackend({name: ["stays"] for name in "ab"}) for _ in range(2))
        self.pool = BackendPool(
            ComputeTable(backends={"batch": lambda: self._make("batch"), "container": lambda: self._make("container")}),
            lambda _: None,
            outlive=False,
        )

    def _make(self, name: str) -> ScriptedBackend:
        self.made.append(name)
        return self.batch if name == "batch" else self.container


@pytest.fixture
def both() -> Iterator[Both]:
    both = Both()
    yield both
    both.pool.close()


def test_a_backend_is_made_once_and_not_before_it_is_needed(both: Both) -> None:
    assert both.made == []
    both.pool.open({"container", "batch"})
    both.pool.open({"batch"})
    both.pool.launch("batch", ORDERS[:1])
    assert sorted(both.made) == ["batch", "container"]


def test_each_attempt_is_ended_where_it_was_launched(both: Both) -> None:
    both.pool.launch("batch", ORDERS[:1])
    both.pool.launch("container", ORDERS[1:])
    unknown = Attempt("run", "never launched")
    both.pool.terminate([ORDERS[0].attempt, ORDERS[1].attempt, unknown])
    assert both.batch.terminated == [ORDERS[0].attempt]
    assert both.container.terminated == [ORDERS[1].attempt]


def test_the_news_of_all_come_together_and_once(both: Both) -> None:
    both.pool.open({"container", "batch"})
    news = [Change(order.attempt, "ended", ending=Ending("finished")) for order in ORDERS]
    both.batch.news, both.container.news = news[:1], news[1:]
    assert sorted(both.pool.changes(), key=str) == sorted(news, key=str)
    assert both.pool.changes() == []


def test_whoever_waits_is_woken_from_any_thread(both: Both) -> None:
    both.pool.open({"batch"})
    threading.Timer(0.05, both.batch.wake).start()
    began = time.monotonic()
    both.pool.wait(30)
    assert time.monotonic() - began < 20


def test_a_call_before_the_wait_is_not_lost_and_counts_once(both: Both) -> None:
    for _ in range(100_000):  # more than a pipe holds
        both.pool.wake()
    began = time.monotonic()
    for _ in range(50):
        both.pool.wait(0)
    both.pool.wake()
    both.pool.wait(30)
    assert time.monotonic() - began < 20


def test_nobody_waits_for_less_than_nothing(both: Both) -> None:
    both.pool.wait(-5)
