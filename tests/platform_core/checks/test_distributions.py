"""Shifts that are there are seen, those that are chance are not, and the tests say what statisticians say."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.checks.distributions import (
    SAMPLE,
    chi_squared,
    comparable,
    compare_columns,
    kolmogorov_smirnov,
    stability,
)


def shift_of(before: pl.Series, after: pl.Series):
    (shift,) = compare_columns(pl.LazyFrame({"x": before}), pl.LazyFrame({"x": after}), ["x"])
    return shift


def normal(rows: int, mean: float = 0, seed: int = 0) -> pl.Series:
    return pl.Series(np.random.default_rng(seed).normal(mean, 1, rows))


def test_a_shifted_number_is_seen() -> None:
    shift = shift_of(normal(5000), normal(3000, mean=0.8, seed=1))
    assert shift.has_shifted()
    assert shift.p < 1e-12


def test_a_shifted_category_is_seen_also_a_new_one() -> None:
    before = pl.Series(["a"] * 500 + ["b"] * 500)
    assert shift_of(before, pl.Series(["a"] * 900 + ["b"] * 100)).has_shifted()
    assert shift_of(before, pl.Series(["a"] * 400 + ["b"] * 400 + ["c"] * 400)).has_shifted()


def test_missing_values_are_judged_for_themselves() -> None:
    before, after = normal(1000), normal(1000, seed=2)
    thinned = pl.Series([None if row % 4 == 0 else value for row, value in enumerate(after)])
    shift = shift_of(before, thinned)
    assert shift.misses_other()
    assert not shift.has_shifted()
    assert shift.missing == (0, 0.25)


def test_not_a_number_counts_as_missing() -> None:
    assert shift_of(pl.Series([1.0, 2.0]), pl.Series([math.nan, 2.0])).missing == (0, 0.5)


@pytest.mark.parametrize("rows", [50, 300, 5000])
def test_honest_samples_raise_fewer_alarms_than_the_stated_rate(rows: int) -> None:
    alarms = sum(shift_of(normal(rows, seed=2 * n), normal(rows, seed=2 * n + 1)).has_shifted() for n in range(300))
    assert alarms / 300 <= 0.01


def test_in_many_rows_a_trifling_difference_is_no_shift() -> None:
    shift = shift_of(normal(SAMPLE), normal(SAMPLE, mean=0.05, seed=3))
    assert shift.p < 0.001
    assert not shift.has_shifted()


@pytest.mark.parametrize(("distance", "probability"), [(0.043, 0.3114), (0.0618, 0.0441)])
def test_the_kolmogorov_smirnov_test_gives_known_probabilities(distance: float, probability: float) -> None:
    """Against the asymptotic distribution Q(z), z = sqrt(n m / (n + m)) D, for two samples of 1,000."""
    rows = 1000
    moved = round(distance * rows)
    before = pl.Series([0.0] * (500 + moved) + [1.0] * (500 - moved))
    after = pl.Series([0.0] * 500 + [1.0] * 500)
    assert kolmogorov_smirnov(before, after) == pytest.approx(probability, abs=0.015)


@pytest.mark.parametrize(
    ("before", "after", "probability"),
    [([50, 50], [60, 40], 0.1556), ([30, 30, 40], [20, 40, 40], 0.1801), ([5, 95], [20, 80], 0.00135)],
)
def test_the_chi_squared_test_gives_known_probabilities(before, after, probability: float) -> None:
    assert chi_squared(before, after) == pytest.approx(probability, rel=0.06, abs=0.002)


counts = st.lists(st.integers(0, 1000), min_size=1, max_size=8)


@given(counts)
def test_a_distribution_is_no_distance_from_itself(before: list[int]) -> None:
    assert stability(before, before) == 0
    assert chi_squared(before, before) >= 0.5


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 99), min_size=n, max_size=n)] * 2)))
def test_the_index_is_never_negative_and_the_same_both_ways(pair: tuple[list[int], list[int]]) -> None:
    before, after = pair
    assert stability(before, after) >= -1e-9
    assert stability(before, after) == pytest.approx(stability(after, before))


values = st.lists(st.one_of(st.none(), st.floats(allow_infinity=False, width=32), st.just(0.0)), max_size=40)


@given(values, values)
def test_any_two_columns_can_be_compared(before: list[float | None], after: list[float | None]) -> None:
    old, new = (pl.LazyFrame({"x": pl.Series(side, dtype=pl.Float64)}) for side in (before, after))
    for shift in compare_columns(old, new, ["x"]):
        assert 0 <= shift.p <= 1
        assert math.isfinite(shift.psi)
        assert len(shift.labels) == len(shift.before) == len(shift.after)


def test_only_numbers_and_categories_are_compared() -> None:
    schema = pl.Schema({"a": pl.Int8(), "b": pl.String(), "c": pl.Date(), "d": pl.Boolean(), "e": pl.List(pl.Int8())})
    assert comparable(schema) == {"a": "numbers", "b": "categories", "d": "categories"}
