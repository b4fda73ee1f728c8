"""The join that cannot see the future: to each row the latest of what was known by the row's own moment.

Imports nothing of the platform but its errors, so that a location's pure modules may use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import polars as pl

from platform_core.errors import CheckError, listed

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

MOMENT, ROW, KNOWN_ROW = "__moment", "__row", "__known_row"
NOTHING = 2**32 - 1  # a row number that no frame has


def point_in_time_join(
    rows: Frame,
    known: pl.DataFrame | pl.LazyFrame,
    *,
    on: str,
    known_at: str,
    by: str | Sequence[str] = (),
    max_age: timedelta | None = None,
) -> Frame:
    """Each of `rows`, in its order, with the columns of the row of `known` that was the latest at that moment.

    A row of `known` counts from `known_at` on, that very moment included, and until it is older than `max_age`. Of
    several with the same key and moment the last one counts. Where nothing was known, or the key or the moment is
    null, the added columns are null. Nulls in what was known stay nulls: an older value is not taken instead.

    Args:
        rows: what is asked about; a lazy frame is computed here.
        on: the column of `rows` with the moment of each row, a datetime or date.
        known_at: the column of `known` from which moment on its row may be used; comes along under its name.
        by: columns of the same name in both that must be equal.

    Raises:
        CheckError: a column is missing, is in both, or the moments are of different types.
    """
    asked, facts, keys = rows.lazy().collect(), known.lazy().collect(), [by] if isinstance(by, str) else list(by)
    _require(asked, facts, on, known_at, keys)
    left = asked.select(*keys, pl.col(on).alias(MOMENT)).with_row_index(ROW)
    right = facts.select(*keys, pl.col(known_at).alias(MOMENT)).with_row_index(KNOWN_ROW)
    found = _matches(left, right, keys, max_age)
    added = facts.drop(keys).select(pl.all().gather(found))
    joined = asked.hstack(added)
    return joined.lazy() if isinstance(rows, pl.LazyFrame) else joined


def _matches(left: pl.DataFrame, right: pl.DataFrame, keys: list[str], max_age: timedelta | None) -> pl.Series:
    """For each row the number of the known row, or null. Only keys and moments are sorted, never whole rows."""
    joined = left.drop_nulls().sort(MOMENT).join_asof(
        right.drop_nulls().sort(MOMENT, maintain_order=True),
        on=MOMENT, by=keys or None, strategy="backward", tolerance=max_age, check_sortedness=False,
    )  # fmt: skip
    return _scattered(joined[ROW], joined[KNOWN_ROW], left.height)


def _scattered(places: pl.Series, values: pl.Series, length: int) -> pl.Series:
    """A series with the values at their places and null everywhere else."""
    import numpy as np

    target = np.full(length, NOTHING, dtype=np.uint32)
    target[places.to_numpy()] = values.fill_null(NOTHING).to_numpy()
    scattered = pl.Series(target)
    return scattered.set(scattered == NOTHING, None)


def _require(rows: pl.DataFrame, known: pl.DataFrame, on: str, known_at: str, keys: list[str]) -> None:
    for what, frame, wanted in (("rows", rows, [on, *keys]), ("what is known", known, [known_at, *keys])):
        if missing := [name for name in wanted if name not in frame.columns]:
            raise CheckError(f"point_in_time_join: {listed(missing)} is no column of {what}.")
    if twice := [name for name in known.columns if name in rows.columns and name not in keys]:
        raise CheckError(f"point_in_time_join: {listed(twice)} is in both tables; rename it in one of them.")
    if rows.schema[on] != known.schema[known_at] or not rows.schema[on].is_temporal():
        raise CheckError(
            f"point_in_time_join: {on} is {rows.schema[on]} and {known_at} is {known.schema[known_at]}; cast both to"
            " the same datetime or date."
        )
