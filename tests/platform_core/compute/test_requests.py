"""What a step's process is told: all that it needs, and nothing that grows with the run."""

import dagster as dg
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.requests import StepRequest, instance_of, make_request
from platform_core.dagster_internals import KnownExecutionState, RetryMode, StepOutputHandle
from tests.platform_core.compute.doubles import handed, step_of

REQUESTS = st.builds(
    StepRequest,
    run=st.text(min_size=1),
    step=st.text(min_size=1),
    known=st.text(min_size=1),
    retries=st.sampled_from([mode.value for mode in RetryMode]),
    instance=st.text(),
    partition=st.text(),
    tags=st.dictionaries(st.text(), st.text()),
    is_skippable=st.booleans(),
)


@given(REQUESTS)
def test_a_request_arrives_as_it_was_made(request: StepRequest) -> None:
    assert StepRequest.from_text(request.to_text()) == request


@dg.asset
def first() -> int:
    return 1


@dg.asset
def other() -> int:
    return 1


@dg.asset
def second(first: int) -> int:
    return 2


def test_a_request_holds_of_the_run_only_what_its_step_needs() -> None:
    known = KnownExecutionState(
        previous_retry_attempts={"second": 2, "other": 1},
        ready_outputs={StepOutputHandle("first", "result"), StepOutputHandle("other", "result")},
    )
    request = handed(
        lambda context, plan: make_request(context, step_of(plan, second), known, RetryMode.ENABLED, partition="p"),
        *(first, other, second),
    )
    assert request.known_state.previous_retry_attempts == {"second": 2}
    assert request.known_state.ready_outputs == {StepOutputHandle("first", "result")}
    assert request.retry_mode == RetryMode.DEFERRED  # it is the run worker that starts a step again
    assert (request.step, request.partition) == ("second", "p")


def test_an_instance_in_memory_cannot_be_reached_from_elsewhere() -> None:
    request = handed(
        lambda context, plan: make_request(context, step_of(plan, first), KnownExecutionState(), RetryMode.DISABLED),
        first,
    )
    assert instance_of(request) is None
    assert request.retry_mode == RetryMode.DISABLED
