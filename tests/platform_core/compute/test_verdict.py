"""What follows when an attempt ended without a word of the step."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.attempts import Ending, Kind
from platform_core.compute.profiles import Limits
from platform_core.compute.spec import Compute
from platform_core.compute.verdict import judge

KINDS: tuple[Kind, ...] = get_args(Kind)


def again_and_again(kind: Kind, compute: Compute, limits: Limits) -> list[Compute]:
    """The computes with which a step is started after its first attempt, when each of them ends alike."""
    found: list[Compute] = []
    while (verdict := judge(Ending(kind, "So."), compute, len(found), limits)).compute is not None:
        compute = verdict.compute
        found.append(compute)
        assert len(found) < 100
    return found


@given(
    st.sampled_from(KINDS),
    st.integers(0, 9),
    st.one_of(st.none(), st.integers(1, 1 << 40)),
    st.one_of(st.none(), st.integers(1, 1 << 40)),
)
def test_infrastructure_retries_end_and_memory_stays_within_limits(
    kind: Kind, retries: int, memory: int | None, most: int | None
) -> None:
    first = Compute(infrastructure_retries=retries, memory=memory)
    starts = again_and_again(kind, first, Limits(memory=most))
    assert len(starts) <= retries
    for before, after in zip([first, *starts], starts, strict=False):
        if kind == "memory":
            assert (before.memory_bytes or 0) < (after.memory_bytes or 0) <= (most or 1 << 60)
        else:
            assert after == before


@pytest.mark.parametrize("kind", ["vanished", "finished"])
def test_what_the_machine_lost_is_started_again_as_it_was(kind: Kind) -> None:
    verdict = judge(Ending(kind, "The node is gone."), Compute(), 0, Limits())
    assert verdict.compute == Compute()
    assert verdict.sentence == "The node is gone. Starting it again (1 of 3 times)."


def test_a_process_that_ended_well_and_said_nothing_is_told_so() -> None:
    sentence = judge(Ending("finished"), Compute(), 0, Limits()).sentence
    assert sentence == "Its process ended without a word of how the step went. Starting it again (1 of 3 times)."


def test_what_needed_more_memory_gets_twice_as_much() -> None:
    verdict = judge(Ending("memory", "It was killed."), Compute(memory="4GiB"), 1, Limits(memory="64GiB"))
    assert verdict.compute == Compute(memory=8 << 30)
    assert verdict.sentence == "It was killed. Starting it again with 8 GiB (2 of 3 times)."


def test_what_has_the_most_memory_already_fails_by_no_fault_that_a_retry_would_mend() -> None:
    verdict = judge(Ending("memory", "It was killed."), Compute(memory="4GiB"), 0, Limits(memory="4GiB"))
    assert (verdict.compute, verdict.own_fault, verdict.sentence) == (None, False, "It was killed.")


@pytest.mark.parametrize(("lost", "told"), [(1, "once"), (3, "3 times")])
def test_what_was_lost_too_often_says_how_often(lost: int, told: str) -> None:
    verdict = judge(Ending("vanished", "Reclaimed."), Compute(infrastructure_retries=lost), lost, Limits())
    assert (verdict.compute, verdict.own_fault) == (None, False)
    assert verdict.sentence == f"Reclaimed. It was started again {told}."


@pytest.mark.parametrize("kind", ["refused", "cancelled"])
def test_what_cannot_start_or_was_not_wanted_is_not_tried_again(kind: Kind) -> None:
    verdict = judge(Ending(kind, "No such image."), Compute(), 0, Limits())
    assert (verdict.compute, verdict.own_fault) == (None, False)


@pytest.mark.parametrize("kind", ["failed", "timeout"])
def test_a_steps_own_fault_is_left_to_its_own_retries(kind: Kind) -> None:
    verdict = judge(Ending(kind, "It ran longer than 2 h."), Compute(retries=2), 0, Limits())
    assert (verdict.compute, verdict.own_fault) == (None, True)
