"""What the run worker writes about steps is in the event log, and decides where it is to decide."""

from contextlib import suppress
from typing import Any

import dagster as dg
import pytest

from platform_core.compute.event_sources import EventLogTail
from platform_core.compute.voice import Voice
from platform_core.dagster_internals import ExecutionStep, RetryMode
from platform_core.orchestrator.runs import active_execution
from tests.platform_core.compute.doubles import handed, step_of


@dg.asset(retry_policy=dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL))
def one() -> None: ...


@dg.asset
def plain() -> None: ...


def speaking(say: Any, asset: dg.AssetsDefinition = one) -> Any:
    """What `say` returns for a voice and a step that is being executed."""

    said: list[Any] = []

    def body(context: Any, plan: Any) -> Any:
        with (
            suppress(dg.DagsterExecutionInterruptedError),  # the step is not executed to its end
            active_execution(context, plan, RetryMode.ENABLED, None) as active,
        ):
            step: ExecutionStep = step_of(plan, asset)
            active.get_steps_to_execute()
            tail = EventLogTail(context.instance, context.run_id)
            list(tail.events())  # what was there before
            found = say(Voice(context, active, tail), step)
            assert list(tail.events()) == []  # what is said is not heard again
            said.append((found, active.is_complete))
            active.mark_interrupted()
        return said[0]

    return handed(body, asset)


def test_news_decide_nothing() -> None:
    event, complete = speaking(lambda voice, step: voice.say(step, "It waits.", {"a": "b"}))
    assert (event.message, event.event_type) == ("It waits.", dg.DagsterEventType.ENGINE_EVENT)
    assert not complete


def test_a_success_tells_the_outputs_and_ends_the_step() -> None:
    events, complete = speaking(lambda voice, step: list(voice.succeed(step, ["result"], 1.5)))
    assert [event.event_type_value for event in events] == ["STEP_OUTPUT", "STEP_SUCCESS"]
    assert events[-1].step_success_data.duration_ms == 1500
    assert complete


def test_a_failure_is_a_sentence_and_ends_the_step() -> None:
    event, complete = speaking(lambda voice, step: voice.fail(step, "It was cancelled."))
    assert event.step_failure_data.user_failure_data.description == "It was cancelled."
    assert event.step_failure_data.error.stack == []
    assert complete


def test_a_retry_keeps_the_step_going() -> None:
    event, complete = speaking(lambda voice, step: voice.retry(step, "It crashed.", 5))
    assert event.step_retry_data.seconds_to_wait == 5
    assert not complete


@pytest.mark.parametrize(("tries", "delay"), [(0, 1), (1, 3), (2, None), (9, None)])
def test_retries_wait_as_the_policy_says_until_there_are_none_left(tries: int, delay: float | None) -> None:
    found, _ = speaking(lambda voice, step: voice.retry_delay(step, tries))
    assert found == delay


def test_a_step_without_a_policy_is_not_tried_again() -> None:
    found, _ = speaking(lambda voice, step: voice.retry_delay(step, 0), plain)
    assert found is None
