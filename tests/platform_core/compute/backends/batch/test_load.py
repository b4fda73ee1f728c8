"""How hard the backend leans on Batch and on the machine it runs on, and what it does when Batch pushes back."""

import random
import resource
import time

from platform_core.compute.backends.batch.backend import BatchBackend
from tests.platform_core.compute.backends.batch.conftest import Make
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.pretended import Script
from tests.platform_core.compute.backends.batch.world import News, an_order, partitions


def test_throttling_delays_and_loses_nothing(double: Double, backend: BatchBackend, news: News) -> None:
    dice = random.Random(4)
    double.fault = lambda verb: "busy" if dice.random() < 0.3 else ""
    double.plan = lambda request, index: Script(running=0.5)
    orders = [*(an_order(f"step-{index}") for index in range(8)), *partitions(150)]
    backend.launch(orders)
    assert {ending.kind for ending in news.endings(orders, seconds=90)} == {"finished"}
    assert len(double.submitted) == 9


def test_two_hundred_steps_are_watched_with_two_calls_a_look(double: Double, make: Make) -> None:
    backend = make(poll_seconds=0.2)
    news = News(backend)
    double.plan = lambda request, index: Script(running=6)
    orders = [an_order(f"step-{index}") for index in range(200)]
    backend.launch(orders)
    news.until(lambda: sum(change.state == "running" for change in news.changes) == 200)
    before, begun = double.calls["describejobs"], time.monotonic()
    time.sleep(2.5)
    looks = (time.monotonic() - begun) / 0.2
    assert 2 <= double.calls["describejobs"] - before <= 2 * looks
    assert {ending.kind for ending in news.endings(orders)} == {"finished"}
    assert double.calls["listjobs"] == 0
    assert double.calls["submitjob"] == 200


def test_an_array_in_which_nothing_happens_costs_one_call_a_look(double: Double, make: Make) -> None:
    backend = make(poll_seconds=0.2, patience_seconds=60.0)
    news = News(backend)
    double.plan = lambda request, index: Script(running=4)
    orders = partitions(1000)
    backend.launch(orders)
    news.until(lambda: len(news.changes) == 1000)
    before = double.calls["describejobs"]
    time.sleep(2)
    assert double.calls["describejobs"] - before <= 10
    assert {ending.kind for ending in news.endings(orders)} == {"finished"}


def test_the_largest_array_takes_ten_thousand(double: Double, make: Make) -> None:
    backend = make(poll_seconds=0.5)
    news = News(backend)
    orders = partitions(10_001)
    backend.launch(orders)
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert {ending.kind for ending in news.endings(orders, seconds=60)} == {"finished"}
    sizes = [request.get("arrayProperties", {}).get("size", 1) for request in double.submitted]
    assert sorted(sizes) == [1, 10_000]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun < 300_000


def test_a_batch_that_is_busy_for_long_is_waited_for(double: Double, backend: BatchBackend) -> None:
    away = ["submitjob", "describejobs"]
    double.fault = lambda verb: "busy" if verb in away else ""
    news = News(backend)
    order = an_order()
    backend.launch([order])
    news.until(lambda: "AWS cannot be asked to start it yet" in "".join(change.sentence for change in news.changes))
    away.clear()
    assert news.ending(order).kind == "finished"
