"""What becomes of each event of a step whose end is not its own process's to tell."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest

from platform_core.compute.requests import StepRequest
from platform_core.compute.retelling import Outcome, Retelling, outcome_of
from platform_core.dagster_internals import DagsterEvent
from tests.platform_core.compute.doubles import Job

KINDS = dg.DagsterEventType


def entries(function: Any, **more: Any) -> list[dg.EventLogEntry]:
    """What Dagster writes about a step that does what the function does."""
    job = Job(dg.asset(name="it", **more)(function), executor=dg.in_process_executor)
    job.run()
    (run,) = job.instance.get_runs()
    return [entry for entry in job.instance.all_logs(run.run_id) if entry.dagster_event and entry.step_key]


def request(**more: Any) -> StepRequest:
    return StepRequest("run", "it", "known", "enabled", **more)


def retold(retelling: Retelling, written: Sequence[dg.EventLogEntry]) -> list[DagsterEvent]:
    told = [retelling(entry) for entry in written]
    return [entry.dagster_event for entry in told if entry is not None and entry.dagster_event is not None]


def kinds(events: Sequence[DagsterEvent]) -> list[str]:
    return [event.event_type_value for event in events]


def works() -> None: ...


def fails() -> None:
    raise ValueError("no such column")


def runs_out() -> None:
    raise MemoryError


def is_interrupted() -> None:
    raise dg.DagsterExecutionInterruptedError


def gives_up() -> None:
    raise dg.Failure("the source is empty", allow_retries=False)


@pytest.mark.parametrize("function", [works, fails, gives_up])
def test_a_step_that_tells_its_own_end_is_not_retold(function: Any) -> None:
    written = entries(function)
    assert [Retelling(request())(entry) for entry in written] == written


@pytest.mark.parametrize(
    "asked", [request(), request(partition="2024"), request(is_skippable=True)], ids=["plain", "partition", "skippable"]
)
def test_an_interruption_is_told_by_whoever_interrupted(asked: StepRequest) -> None:
    written = entries(is_interrupted)
    assert KINDS.STEP_FAILURE in [entry.dagster_event.event_type for entry in written if entry.dagster_event]
    told = retold(Retelling(asked), written)
    assert KINDS.STEP_FAILURE.value not in kinds(told)
    assert not any(outcome_of(event) for event in told)


def test_a_skippable_failure_is_news_and_all_else_stays() -> None:
    written = entries(fails)
    told = retold(Retelling(request(is_skippable=True)), written)
    assert len(told) == len(written)
    assert KINDS.STEP_FAILURE.value not in kinds(told)
    (outcome,) = filter(None, map(outcome_of, told))
    assert outcome.kind == "failed"
    assert outcome.sentence == "ValueError: no such column"
    assert [event for event in told if not outcome_of(event)] == [
        entry.dagster_event for entry in written if entry.dagster_event and not entry.dagster_event.is_step_failure
    ]


def test_a_skippable_success_is_its_own_to_tell() -> None:
    written = entries(works)
    assert [Retelling(request(is_skippable=True))(entry) for entry in written] == written


def test_a_failure_on_purpose_keeps_its_own_words() -> None:
    told = retold(Retelling(request(is_skippable=True)), entries(gives_up))
    assert [outcome.sentence for event in told if (outcome := outcome_of(event))] == ["the source is empty"]


def test_a_partition_that_is_done_tells_its_outputs_once_and_nothing_of_the_step() -> None:
    told = retold(Retelling(request(partition="2024")), entries(works))
    assert [outcome for event in told if (outcome := outcome_of(event))] == [
        Outcome("done", "2024", ["result"], sentence=told[-1].message or "")
    ]
    assert (told[-1].message or "").startswith("2024 is done after ")
    assert "STEP_START" not in kinds(told)
    assert "STEP_SUCCESS" not in kinds(told)
    assert "ASSET_MATERIALIZATION" in kinds(told)


def test_a_partition_that_failed_says_why() -> None:
    told = retold(Retelling(request(partition="2024")), entries(fails))
    (outcome,) = filter(None, map(outcome_of, told))
    assert (outcome.kind, outcome.partition) == ("failed", "2024")
    assert "no such column" in outcome.sentence


def test_a_partition_that_is_tried_again_says_when() -> None:
    written = entries(fails, retry_policy=dg.RetryPolicy(max_retries=1, delay=0.01))
    told = retold(Retelling(request(partition="2024")), written)
    outcomes = [outcome for event in told if (outcome := outcome_of(event))]
    assert [(each.kind, each.delay) for each in outcomes] == [("retry", 0.01), ("failed", 0.0)]
    assert "no such column" in outcomes[0].sentence


@pytest.mark.parametrize("more", [{}, {"retry_policy": dg.RetryPolicy(max_retries=1, delay=0.01)}])
@pytest.mark.parametrize("asked", [request(), request(partition="2024")], ids=["plain", "partition"])
def test_a_process_that_is_held_to_its_memory_does_not_tell_that_it_ran_out(
    asked: StepRequest, more: dict[str, Any]
) -> None:
    """Nor does it use up one of the step's own retries for it: the run worker gives it more memory."""
    retelling = Retelling(asked, has_limit=True)
    told = retold(retelling, entries(runs_out, **more))
    assert retelling.ran_out_of_memory
    assert not {"STEP_FAILURE", "STEP_UP_FOR_RETRY"} & set(kinds(told))
    assert not any(outcome_of(event) for event in told)


def test_a_process_without_a_limit_tells_it_as_any_failure() -> None:
    retelling = Retelling(request())
    assert "STEP_FAILURE" in kinds(retold(retelling, entries(runs_out)))
    assert not retelling.ran_out_of_memory


def test_other_events_tell_no_outcome() -> None:
    assert not any(outcome_of(entry.dagster_event) for entry in entries(works) if entry.dagster_event)
