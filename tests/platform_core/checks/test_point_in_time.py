"""The join against a slow one that follows the words of its documentation, on all kinds of odd tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.checks.point_in_time import point_in_time_join
from platform_core.errors import CheckError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")

keys = st.one_of(st.none(), st.sampled_from(["a", "b"]))
moments = st.one_of(st.none(), st.integers(0, 12).map(lambda hour: NOON + timedelta(hours=hour)))
asked = st.lists(st.tuples(keys, st.integers(0, 1), moments), max_size=12)
known = st.lists(st.tuples(keys, st.integers(0, 1), moments, st.one_of(st.none(), st.integers(0, 99))), max_size=12)
ages = st.one_of(st.none(), st.integers(0, 6).map(lambda hours: timedelta(hours=hours)))


def rows_of(items: Any) -> pl.DataFrame:
    return pl.DataFrame(items, schema={"key": pl.String, "side": pl.Int64, "at": TIME}, orient="row")


def known_of(items: Any) -> pl.DataFrame:
    return pl.DataFrame(
        items, schema={"key": pl.String, "side": pl.Int64, "known_at": TIME, "value": pl.Int64}, orient="row"
    )


def slowly(row: Any, facts: Any, max_age: timedelta | None) -> tuple[Any, Any]:
    key, side, at = row
    best: tuple[Any, Any] = (None, None)
    for other, other_side, known_at, value in facts:
        if None in (key, at, other, known_at) or (other, other_side) != (key, side) or known_at > at:
            continue
        if (max_age is None or at - known_at <= max_age) and (best[0] is None or known_at >= best[0]):
            best = (known_at, value)
    return best


@given(asked, known, ages)
def test_it_finds_what_a_slow_search_finds(rows: Any, facts: Any, max_age: timedelta | None) -> None:
    joined = point_in_time_join(
        rows_of(rows), known_of(facts), on="at", known_at="known_at", by=["key", "side"], max_age=max_age
    )
    assert joined.drop("known_at", "value").equals(rows_of(rows))
    assert joined.select("known_at", "value").rows() == [slowly(row, facts, max_age) for row in rows]


@given(asked, known)
def test_without_keys_everything_known_counts_for_every_row(rows: Any, facts: Any) -> None:
    one = [("k", 0, at) for _, _, at in rows]
    same = [("k", 0, *rest) for _, _, *rest in facts]
    joined = point_in_time_join(rows_of(one), known_of(facts).drop("key", "side"), on="at", known_at="known_at")
    assert joined["value"].to_list() == [slowly(row, same, None)[1] for row in one]


def test_a_lazy_frame_gives_a_lazy_frame() -> None:
    rows, facts = rows_of([("a", 0, NOON)]).lazy(), known_of([("a", 0, NOON, 7)]).lazy()
    joined = point_in_time_join(rows, facts, on="at", known_at="known_at", by=["key", "side"])
    assert isinstance(joined, pl.LazyFrame)
    assert joined.collect()["value"].to_list() == [7]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"on": "when", "known_at": "known_at", "by": "key"}, "when is no column of rows"),
        ({"on": "at", "known_at": "since", "by": "key"}, "since is no column of what is known"),
        ({"on": "at", "known_at": "known_at", "by": "key"}, "side is in both tables"),
        ({"on": "key", "known_at": "known_at", "by": ["side", "key"]}, "cast both to the same datetime"),
    ],
)
def test_what_cannot_be_joined_is_said_in_a_sentence(arguments: Any, told: str) -> None:
    with pytest.raises(CheckError, match=told):
        point_in_time_join(rows_of([("a", 0, NOON)]), known_of([("a", 0, NOON, 7)]), **arguments)
