"""Features that look ahead are found out, and those that do not are left in peace."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.checks.point_in_time import point_in_time_join
from platform_core.checks.replay import Compute, Difference, EventTime, Known, Replay, as_known_at
from platform_core.errors import CheckError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = {"rows": Known("at", later={"delay": 24 * HOUR}), "weather": Known("hour", after=HOUR)}
TIME = EventTime("at", KNOWN, labels=("late",))


def rows(number: int) -> pl.DataFrame:
    at = [NOON + number * HOUR for number in range(number)]
    return pl.DataFrame({"id": range(number), "at": at, "delay": [float(n % 7) for n in range(number)]})


def weather(number: int) -> pl.DataFrame:
    hours = [NOON + (number - 5) * HOUR for number in range(number)]
    return pl.DataFrame({"hour": hours, "wind": [float(number) for number in range(number)]})


INPUTS = {"rows": rows(40), "weather": weather(45)}


def honest(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    known = inputs["weather"].with_columns(known_at=pl.col("hour") + HOUR).drop("hour")
    joined = point_in_time_join(inputs["rows"], known, on="at", known_at="known_at")
    return joined.select("id", "at", "wind", late=pl.col("delay") > 3)


def reading_the_delay(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return honest(inputs).with_columns(hurry=inputs["rows"]["delay"] * 2)


def reading_the_next_hour(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    known = inputs["weather"].rename({"hour": "known_at"})
    return point_in_time_join(inputs["rows"], known, on="at", known_at="known_at").select("id", "at", "wind")


def ranked_within_the_batch(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return honest(inputs).with_columns(rank=pl.col("wind").rank())


def leaks_of(compute: Compute, batch: pl.DataFrame, key: str = "id") -> list[Difference]:
    return Replay(compute, INPUTS, batch, TIME, [key]).leaks()


def skews_of(compute: Compute, batch: pl.DataFrame, key: str = "id") -> list[Difference]:
    return Replay(compute, INPUTS, batch, TIME, [key]).skews()


def test_an_honest_feature_passes_both() -> None:
    batch = honest(INPUTS)
    assert leaks_of(honest, batch) == []
    assert skews_of(honest, batch) == []


@pytest.mark.parametrize(("feature", "column"), [(reading_the_delay, "hurry"), (reading_the_next_hour, "wind")])
def test_a_feature_that_looks_ahead_is_found_out_by_column(feature: Compute, column: str) -> None:
    found = leaks_of(feature, feature(INPUTS))
    assert {item.column for item in found} == {column}
    assert all(item.before != item.after for item in found)


def test_a_feature_that_needs_the_other_rows_differs_for_one_row() -> None:
    found = skews_of(ranked_within_the_batch, ranked_within_the_batch(INPUTS))
    assert {item.column for item in found} == {"rank"}


def test_a_row_that_is_gone_is_a_difference() -> None:
    def only_with_neighbours(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        return honest(inputs) if inputs["rows"].height > 1 else honest(inputs).clear()

    found = skews_of(only_with_neighbours, honest(INPUTS))
    assert {(item.column, item.before, item.after) for item in found} == {("(rows)", 1, 0)}


moments = st.integers(-50, 50).map(lambda hours: NOON + hours * HOUR)


@given(st.lists(moments), moments, st.integers(0, 9), st.integers(0, 9))
def test_what_is_cut_holds_nothing_from_later(at: list[datetime], moment: datetime, after: int, later: int) -> None:
    frame = pl.DataFrame({"at": pl.Series(at, dtype=pl.Datetime("us", "UTC")), "x": pl.Series([1] * len(at))})
    cut = as_known_at(frame, Known("at", after=after * HOUR, later={"x": later * HOUR}), moment)
    assert cut["at"].to_list() == [item for item in at if item + after * HOUR <= moment]
    assert cut["x"].to_list() == [1 if item + later * HOUR <= moment else None for item in cut["at"]]


def test_dates_and_times_without_a_zone_can_be_cut_too() -> None:
    frame = pl.DataFrame({"day": [date(2026, 3, 1), date(2026, 3, 2)]})
    assert as_known_at(frame, Known("day"), NOON).height == 1
    naive = pl.DataFrame({"at": [datetime(2026, 3, 1, 11), datetime(2026, 3, 1, 13)]})
    assert as_known_at(naive, Known("at"), NOON).height == 1


def test_what_is_missing_for_a_replay_is_said() -> None:
    with pytest.raises(CheckError, match="since that says when a row is known"):
        as_known_at(rows(1), Known("since"), NOON)
    with pytest.raises(CheckError, match="no column id"):
        leaks_of(honest, honest(INPUTS).drop("id"))
    with pytest.raises(CheckError, match="No input has the columns flight"):
        skews_of(honest, honest(INPUTS).with_columns(flight="id"), "flight")
