"""An empty or doubled load is told, an honest one is not, and by how much both holds."""

import math
import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.checks.volume import FEWEST, MANY, Counted, expected_count

START = date(2026, 1, 5)


def honest(number: int, spread: float, seed: int) -> list[int]:
    chance = random.Random(seed)
    return [round(10_000 * math.exp(chance.gauss(0, spread))) for _ in range(number)]


@given(st.integers(FEWEST, 60), st.floats(0, 0.06), st.integers(0, 10_000))
def test_a_doubled_a_halved_and_an_empty_load_are_told(number: int, spread: float, seed: int) -> None:
    *history, count = honest(number + 1, min(spread, 0.05), seed)
    expected = expected_count([Counted(item) for item in history])
    assert expected is not None
    assert not expected.holds(0)
    if number >= 12:
        assert not expected.holds(round(count * 2.2))
        assert not expected.holds(round(count / 2.2))


@pytest.mark.parametrize("number", [MANY, 12, 30])
@pytest.mark.parametrize("spread", [0.01, 0.1, 0.4])
def test_honest_counts_are_outside_at_most_at_the_stated_rate(number: int, spread: float) -> None:
    rounds, outside = 1500, 0
    for seed in range(rounds):
        *history, count = honest(number + 1, spread, seed)
        expected = expected_count([Counted(item) for item in history])
        outside += expected is not None and not expected.holds(count)
    assert outside / rounds <= 0.012  # stated: one in 200; beyond this is not chance in 1500


@given(st.lists(st.integers(0, 10**9), max_size=FEWEST - 1))
def test_without_enough_history_nothing_is_expected(counts: list[int]) -> None:
    assert expected_count([Counted(count) for count in counts]) is None


@given(st.lists(st.integers(1, 10**9), min_size=FEWEST, max_size=40))
def test_the_usual_count_is_inside(counts: list[int]) -> None:
    expected = expected_count([Counted(count) for count in counts])
    assert expected is not None
    assert expected.least <= expected.usual <= expected.most


def week_by_week(weeks: int) -> list[Counted]:
    days = [START + timedelta(days=number) for number in range(7 * weeks)]
    chance = random.Random(1)
    return [Counted(round((1000 if day.weekday() < 5 else 100) * chance.uniform(0.97, 1.03)), day) for day in days]


def test_a_sunday_is_compared_with_sundays() -> None:
    sunday, monday = (expected_count(week_by_week(6), START + timedelta(days=day)) for day in (48, 49))
    assert sunday is not None
    assert monday is not None
    assert (sunday.by_weekday, sunday.holds(102), sunday.holds(1000)) == (True, True, False)
    assert (monday.by_weekday, monday.holds(102), monday.holds(1010)) == (True, False, True)


def test_weekdays_are_left_alone_where_they_make_no_difference() -> None:
    days = [Counted(count, START + timedelta(days=number)) for number, count in enumerate(honest(60, 0.2, 3))]
    expected = expected_count(days, START + timedelta(days=60))
    assert expected is not None
    assert not expected.by_weekday
