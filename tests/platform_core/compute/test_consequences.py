"""What follows for a step of many partitions from how each of them went."""

from typing import Any

import dagster as dg
import pytest

from platform_core.compute import orchestration
from platform_core.compute.attempts import Ending
from platform_core.compute.declaration import ONE_PARTITION_AT_A_TIME
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import COMPUTE_TAG, Compute
from tests.platform_core.compute.doubles import Job, ScriptedBackend

LETTERS = dg.StaticPartitionsDefinition(["a", "b", "c"])


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "PATIENCE", 0.05)


def ran(does: Any = None, *fates: Ending, **said: Any) -> tuple[list[dg.DagsterEvent], ScriptedBackend]:
    """What the event log holds of a run of three partitions, and the backend that they ran on."""
    compute = Compute(backend="batch", **said)
    policy = dg.RetryPolicy(max_retries=compute.retries, delay=0.01) if compute.retries else None

    @dg.asset(
        partitions_def=LETTERS,
        metadata={ONE_PARTITION_AT_A_TIME: True},
        op_tags={COMPUTE_TAG: compute.to_text()},
        retry_policy=policy,
    )
    def split(context: dg.AssetExecutionContext) -> None:
        if does is not None:
            does(context.partition_key)

    backend = ScriptedBackend({"split": fates})
    job = Job(split, executor=routing_executor(ComputeTable(backends={"batch": lambda: backend})))
    backend.job = job
    job.run("a..c")
    return [event for event in job.stored if event.step_key == "split"], backend


def count(events: list[dg.DagsterEvent], kind: dg.DagsterEventType) -> int:
    return [event.event_type for event in events].count(kind)


def test_a_step_of_many_partitions_starts_and_ends_once() -> None:
    events, backend = ran()
    assert backend.launches == [3]  # together, so that a backend may make one request of them
    assert count(events, dg.DagsterEventType.STEP_START) == 1
    assert count(events, dg.DagsterEventType.STEP_SUCCESS) == 1
    assert count(events, dg.DagsterEventType.STEP_OUTPUT) == 1
    done = [event.partition for event in events if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION]
    assert sorted(done, key=str) == ["a", "b", "c"]


def test_the_others_are_done_when_one_partition_fails() -> None:
    def does(partition: str) -> None:
        if partition == "b":
            raise ValueError("no such column")

    events, _ = ran(does)
    (failure,) = [event for event in events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert data.description == "1 of 3 partitions failed. b: ValueError: no such column"
    assert count(events, dg.DagsterEventType.ASSET_MATERIALIZATION) == 2


def test_a_partition_that_was_lost_is_started_again_alone() -> None:
    events, backend = ran(None, Ending("vanished", "The node is gone."))
    attempts = [(order.attempt.partition, order.attempt.number) for order in backend.orders]
    assert attempts == [("a", 1), ("b", 1), ("c", 1), ("a", 2)]
    assert count(events, dg.DagsterEventType.STEP_SUCCESS) == 1


@pytest.mark.parametrize(
    ("ending", "description"),
    [
        (Ending("vanished", "It is gone.", log="Traceback\nKeyError: 'x'\n"), "KeyError: 'x'"),
        (Ending("failed", "It ended with exit code 1.", log="ImportError: no polars"), "ImportError: no polars"),
        (Ending("failed", "It ended with exit code 1."), ""),
        (Ending("timeout", "It ran too long.", log="epoch 3 of 10"), ""),
    ],
)
def test_a_failure_that_nobody_explains_says_what_was_printed_last(ending: Ending, description: str) -> None:
    events, _ = ran(None, ending, infrastructure_retries=0)
    (failure,) = [event for event in events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    last = f" The last line that it printed: {description}" if description else ""
    assert data.description == f"1 of 3 partitions failed. a: {ending.sentence}{last}"


def test_a_partition_uses_retries_of_its_own() -> None:
    tried: list[str] = []

    def does(partition: str) -> None:
        tried.append(partition)
        if tried.count(partition) < 3 and partition != "c":
            raise ValueError("not yet")

    events, _ = ran(does, retries=2)
    assert sorted(tried) == ["a", "a", "a", "b", "b", "b", "c"]
    assert count(events, dg.DagsterEventType.STEP_SUCCESS) == 1
    assert count(events, dg.DagsterEventType.STEP_UP_FOR_RETRY) == 0


def test_a_step_that_may_fail_is_gone_on_without() -> None:
    def does(partition: str) -> None:
        raise ValueError("no such column")

    events, _ = ran(does, on_failure="skip")
    assert count(events, dg.DagsterEventType.STEP_SUCCESS) == 1
    assert count(events, dg.DagsterEventType.ASSET_CHECK_EVALUATION) == 1
    assert any("3 of 3 partitions failed." in str(event.message) for event in events)
