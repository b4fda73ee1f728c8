"""The name of an attempt is fit for everything that carries it, and its own."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from platform_core.compute.attempts import Attempt, is_over

ATTEMPTS = st.builds(
    Attempt,
    run_id=st.uuids().map(str),
    step=st.text(max_size=80),
    number=st.integers(1, 999),
    partition=st.text(max_size=40),
)


@given(ATTEMPTS)
def test_an_id_is_fit_for_a_job_a_container_and_a_file(attempt: Attempt) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,51}", attempt.id)
    assert not attempt.id.endswith("-")


@given(ATTEMPTS, ATTEMPTS)
def test_different_attempts_have_different_ids(one: Attempt, other: Attempt) -> None:
    assume(one != other)
    assert one.id != other.id


def test_attempts_that_differ_in_one_thing_only_have_different_ids() -> None:
    attempts = [
        Attempt("r", "flights__daily"),
        Attempt("r", "flights__daily", 2),
        Attempt("r", "flights__daily", partition="2024-01"),
        Attempt("r", "flights__daily", partition="2024-02"),
        Attempt("r", "flights__Daily"),
        Attempt("r", "flights__dailx"),
        Attempt("s", "flights__daily"),
        Attempt("r", "flights__da", partition="ily"),
        Attempt("r", "a[x]"),
        Attempt("r", "a[y]"),
    ]
    assert len({attempt.id for attempt in attempts}) == len(attempts)


def test_people_find_the_step_in_the_id() -> None:
    assert re.fullmatch(r"headrace-flights-daily-[0-9a-f]{12}-3", Attempt("r", "flights__daily", 3).id)
    assert re.fullmatch(r"headrace-x-[0-9a-f]{12}-1", Attempt("r", "飛行").id)


@pytest.mark.parametrize(
    ("expires", "over"), [(None, False), ("", False), ("soon", False), ("100", False), ("99", True), ("-1", False)]
)
def test_only_what_says_when_its_time_is_over_can_be_over(expires: str | None, over: bool) -> None:
    assert is_over(expires, now=100.0) is over
