"""Where tasks go, and which attempt of theirs each start is, whoever counted before."""

import dataclasses
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from platform_core.compute.attempts import Attempt
from platform_core.compute.departures import Task
from platform_core.compute.fan_out import FanOut
from platform_core.compute.flights import LOST, PRICE_PER_HOUR, Tower
from platform_core.compute.placement import ComputeTable
from platform_core.compute.pool import BackendPool
from platform_core.compute.profiles import Limits
from platform_core.compute.retelling import OUTCOME, PARTITION
from platform_core.compute.spec import COMPUTE_TAG, Compute
from platform_core.dagster_internals import DagsterEvent, EngineEventData, RetryMode
from platform_core.errors import DefinitionError
from platform_core.settings import current_settings
from tests.platform_core.compute.doubles import ScriptedBackend, handed, step_of


@dg.asset(op_tags={COMPUTE_TAG: Compute(backend="batch", memory="1GiB").to_text()})
def remote() -> None: ...


@dg.asset(op_tags={COMPUTE_TAG: Compute(backend="container").to_text()})
def nowhere() -> None: ...


@dg.asset
def here() -> None: ...


Body = Callable[[Tower, BackendPool, dict[str, Task]], Any]


def towering(body: Body, limits: Limits | None = None) -> Any:
    """What `body` returns for a tower, its backends, and a task of each asset."""

    def inside(context: Any, plan: Any) -> Any:
        table = ComputeTable(backends={"batch": lambda: ScriptedBackend(limits=limits)})
        tower = Tower(table, context, RetryMode.ENABLED, current_settings())
        pool = BackendPool(table, lambda _: None, outlive=False)
        tasks = {asset.op.name: Task(step_of(plan, asset)) for asset in (remote, nowhere, here)}
        tasks["plan"] = plan
        found = body(tower, pool, tasks)
        pool.close()
        return found

    return handed(inside, remote, nowhere, here)


def told(kind: str, step: str, **metadata: Any) -> DagsterEvent:
    named = {"lost": LOST, "outcome": OUTCOME, "partition": PARTITION}
    said = {named[name]: value for name, value in metadata.items()}
    return DagsterEvent(kind, "all", step_key=step, event_specific_data=EngineEventData(said))


def numbers(tower: Tower, pool: BackendPool, task: Task, times: int = 1) -> list[int]:
    placement = tower.place(task, pool)
    return [tower.next_flight(task, placement).attempt.number for _ in range(times)]


def test_the_backends_of_a_plan_are_those_that_can_be_had() -> None:
    found = towering(lambda tower, _pool, tasks: tower.backends_of(tasks["plan"]))  # type: ignore[arg-type]
    assert found == {"batch", "local"}


def test_a_task_that_asks_for_more_than_its_backend_has_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match="remote cannot be placed: it asks for 1 GiB of memory of at most 512 MiB"
    ):
        raise towering(_refusal, Limits(memory="512MiB"))


def _refusal(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        tower.place(tasks["remote"], pool)
    return caught.value


def test_attempts_are_counted_from_one() -> None:
    assert towering(lambda tower, pool, tasks: numbers(tower, pool, tasks["remote"], 3)) == [1, 2, 3]


def test_a_lost_task_keeps_its_new_compute_and_no_other_gets_it() -> None:
    def body(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> Any:
        whole, part = tasks["remote"], Task(tasks["remote"].step, "2024")
        flight = tower.next_flight(part, tower.place(part, pool))
        tower.lose(flight, Compute(memory="2GiB"))
        return tower.lost(flight), tower.place(part, pool).compute.memory, tower.place(whole, pool).compute.memory

    assert towering(body) == (1, "2GiB", "1GiB")


def test_what_an_earlier_run_worker_told_is_counted_on() -> None:
    events = [
        told("STEP_WORKER_STARTING", "remote"),
        told("ENGINE_EVENT", "remote", lost=""),
        told("STEP_WORKER_STARTING", "remote"),
        told("ENGINE_EVENT", "remote", lost="2024"),
        told("ENGINE_EVENT", "remote", outcome="retry", partition="2024"),
        told("ENGINE_EVENT", "remote", outcome="done", partition="2025"),
    ]

    def body(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> Any:
        task = tasks["remote"]
        tower.remember(events, frozenset())
        last = tower.last_flight(task, tower.place(task, pool))
        parts = [numbers(tower, pool, Task(task.step, name)) for name in ("2024", "2025")]
        return last.attempt.number, tower.lost(last), parts, tower.was_started(task.step)

    # 2025 is done, and 2024 was started twice: what may run still is the third.
    assert towering(body) == (2, 1, [[3], [1]], True)


def test_what_was_never_announced_was_never_started() -> None:
    assert not towering(lambda tower, _pool, tasks: tower.was_started(tasks["remote"].step))


def test_only_what_runs_here_has_a_journal() -> None:
    def body(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> Any:
        placement = tower.place(tasks["remote"], pool)
        here = dataclasses.replace(placement, backend="local")
        return [tower.next_flight(tasks["remote"], where).journal is not None for where in (placement, here)]

    assert towering(body) == [False, True]


def test_an_announcement_says_where_why_and_which_attempt() -> None:
    def body(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> Any:
        task = tasks["remote"]
        placement = tower.place(task, pool)
        first, second = (tower.next_flight(task, placement) for _ in range(2))
        fan = FanOut(task.step, [str(number) for number in range(2000)])
        return [tower.announcement(*said)[0] for said in ((first, None), (second, None), (first, fan))]

    assert towering(body) == [
        "On the backend batch (the asset says so): 1 cpu, 1 GiB.",
        "On the backend batch (the asset says so): 1 cpu, 1 GiB. Attempt 2.",
        "On the backend batch (the asset says so): 1 cpu, 1 GiB, for each of 2,000 partitions.",
    ]


def test_an_announcement_says_for_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> Any:
        placement = tower.place(tasks["remote"], pool)
        return tower.announcement(tower.next_flight(tasks["remote"], placement), None)[1]

    assert PRICE_PER_HOUR not in towering(body)
    monkeypatch.setenv("HEADRACE_PRICES", '{"batch": {"cpu": 2, "memory": 0.5}}')
    assert towering(body)[PRICE_PER_HOUR] == 2.5


def test_an_attempt_is_of_the_run_the_step_and_the_partition() -> None:
    def body(tower: Tower, pool: BackendPool, tasks: dict[str, Task]) -> Attempt:
        part = Task(tasks["remote"].step, "2024")
        return tower.next_flight(part, tower.place(part, pool)).attempt

    attempt = towering(body)
    assert (attempt.step, attempt.partition, attempt.number) == ("remote", "2024", 1)
