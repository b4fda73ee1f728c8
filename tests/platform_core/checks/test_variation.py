"""What honest months differ from each other is no shift, at the rate that is stated; what goes beyond it is one."""

import numpy as np
import polars as pl
import pytest

from platform_core.checks.distributions import Shift, compare_columns, stability
from platform_core.checks.variation import (
    FEWEST,
    RATE,
    most_times,
    student_quantile,
    usual_difference,
    usual_distance,
)

COLUMNS = ["number", "whole", "side"]
HALF_YEAR = 6


def month(random: np.random.Generator, spread: float, rows: int, shift: float = 0.0) -> pl.LazyFrame:
    """A month whose level lies `spread` deviations from that of others, in all columns and in what is missing."""
    level, other = random.normal(0, spread, 2)
    share = 1 / (1 + np.exp(-0.8 * random.normal(0, spread)))
    number = random.normal(level + shift, 1, rows)
    gone = random.random(rows) < 0.1 * np.exp(0.5 * other)
    return pl.LazyFrame(
        {
            "number": pl.Series(number).set(pl.Series(gone), None),
            "whole": random.poisson(5 * np.exp(0.3 * other), rows),
            "side": np.where(random.random(rows) < share, "left", "right"),
        }
    )


def told(shifts: list[Shift]) -> list[str]:
    columns = len(shifts)
    return [item.column for item in shifts if item.has_shifted(columns=columns) or item.misses_other(columns=columns)]


@pytest.mark.parametrize(
    ("spread", "rows"), [(0.0, 1000), (0.1, 1000), (0.3, 1000), (1.0, 1000), (0.0, 100), (1.0, 100)]
)
def test_honest_years_raise_no_more_alarms_than_stated(spread: float, rows: int) -> None:
    """Each month from the seventh on against the half year before it, in years that differ by chance only."""
    checks = alarms = 0
    for year in range(40):
        random = np.random.default_rng(year)
        months = [month(random, spread, rows) for _ in range(12)]
        for number in range(HALF_YEAR, 12):
            checks += 1
            alarms += bool(told(compare_columns(months[number - HALF_YEAR : number], months[number], COLUMNS)))
    assert checks == 240
    assert alarms / checks <= RATE + 3 * (RATE / checks) ** 0.5


def test_without_parts_the_same_years_would_be_told() -> None:
    alarms = 0
    for year in range(10):
        random = np.random.default_rng(year)
        *before, after = (month(random, 1.0, 1000) for _ in range(HALF_YEAR + 1))
        alarms += bool(told(compare_columns(pl.concat(before), after, COLUMNS)))
    assert alarms > 5


@pytest.mark.parametrize(("spread", "shift"), [(0.0, 1.0), (0.05, 1.0), (0.1, 1.5), (0.2, 3.0)])
def test_what_goes_beyond_the_usual_is_told(spread: float, shift: float) -> None:
    found = []
    for year in range(20):
        random = np.random.default_rng(year)
        before = [month(random, spread, 1000) for _ in range(HALF_YEAR)]
        found.append("number" in told(compare_columns(before, month(random, spread, 1000, shift), COLUMNS)))
    assert sum(found) >= 18


def test_what_is_missing_in_no_other_month_is_told() -> None:
    random = np.random.default_rng(0)
    before = [month(random, 0.1, 1000) for _ in range(HALF_YEAR)]
    after = month(random, 0.1, 1000).with_columns(whole=pl.when(pl.int_range(pl.len()) % 3 == 0).then("whole"))
    assert "whole" in told(compare_columns(before, after, COLUMNS))


def test_parts_count_by_their_rows_and_missing_values_are_counted_in_all_of_them() -> None:
    small = pl.LazyFrame({"x": [1.0] * 10})
    large = pl.LazyFrame({"x": [2.0] * 85 + [None] * 5})
    (shift,) = compare_columns([small, large], pl.LazyFrame({"x": [1.0, 2.0]}), ["x"])
    assert shift.rows == (100, 2)
    assert shift.missing == (0.05, 0)
    assert shift.before == pytest.approx((10 / 95, 85 / 95, 0))  # up to 1, up to 2, beyond
    assert (shift.parts, shift.usual_psi) == (2, 0.0)


def test_an_empty_part_is_none() -> None:
    part = pl.LazyFrame({"x": [1.0, 2.0]})
    (shift,) = compare_columns([part, part.head(0)], part, ["x"])
    assert (shift.parts, shift.rows) == (1, (2, 2))


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [
        (0.975, 1, 12.706),
        (0.99, 2, 6.965),
        (0.995, 3, 5.841),
        (0.9995, 4, 8.610),
        (0.9995, 10, 4.587),
        (0.975, 30, 2.042),
    ],
)
def test_the_quantiles_are_those_of_the_tables(probability: float, freedom: int, quantile: float) -> None:
    assert student_quantile(probability, freedom) == pytest.approx(quantile, abs=0.001)


def test_fewer_parts_and_more_columns_allow_for_more() -> None:
    assert most_times(12, 1) < most_times(6, 1) < most_times(6, 20)


def test_the_usual_distance_is_what_chance_does_not_explain() -> None:
    random = np.random.default_rng(0)
    alike = [list(random.multinomial(1000, [0.25] * 4)) for _ in range(12)]
    assert usual_distance(alike, stability) < 0.003
    apart = [[500, 200, 200, 100] if number % 2 else [100, 200, 200, 500] for number in range(12)]
    assert usual_distance(apart, stability) > 0.2


def test_few_parts_tell_nothing() -> None:
    few = [[9, 1], [1, 9], [5, 5]]
    assert len(few) < FEWEST
    assert usual_distance(few, stability) == 0
    assert usual_difference([0.1, 0.5, 0.9]) == 0


def test_the_usual_difference_is_a_mean_square() -> None:
    assert usual_difference([0.25, 0.25, 0.25, 0.25]) == 0
    assert usual_difference([0.0, 0.3, 0.0, 0.3]) == pytest.approx(0.04)
