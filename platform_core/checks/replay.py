"""Computing sampled rows again with what was known at their moment: values that differ come from the future."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from platform_core.errors import CheckError, listed

SAMPLE = 8
CLOSE = 1e-9  # relative: sums over fewer rows are added in another order

Compute = Callable[[Mapping[str, pl.DataFrame]], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Known:
    """When the rows of an input are known: `after` the moment in the column `at`; some columns `later` than that.

    `Known("scheduled_departure", later={"arr_delay": timedelta(days=2)})`: the delay is null until two days after.
    """

    at: str
    after: timedelta = timedelta(0)
    later: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventTime:
    """The moment as of which each row of a feature is known, and when what it reads is known.

    column: of the feature, its moment.
    known: by parameter of the function; an input that is not named is taken to be known always.
    labels: columns of the feature that are meant to come from the future.
    rows: the parameter that holds one row per row of the feature; otherwise the first with the feature's key.
    """

    column: str
    known: Mapping[str, Known] = field(default_factory=dict)
    labels: Sequence[str] = ()
    rows: str | None = None
    sample: int = SAMPLE


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that came out otherwise; `after` is None as well when the row was not there any more."""

    row: tuple[Any, ...]
    moment: datetime
    column: str
    before: Any
    after: Any


def as_known_at(frame: pl.DataFrame, known: Known, moment: Any) -> pl.DataFrame:
    """The rows that were known at a moment, without the values that came later."""
    since = _instant(frame, known.at, moment)
    rows = frame.filter(since + known.after <= moment)
    hidden = [
        pl.when(_instant(rows, known.at, moment) + delay <= moment).then(pl.col(name)).alias(name)
        for name, delay in known.later.items()
    ]
    return rows.with_columns(hidden)


def _instant(frame: pl.DataFrame, column: str, moment: Any) -> pl.Expr:
    """A column as moments that can be compared with one: a date is its midnight, a time without a zone is of it."""
    if column not in frame.columns:
        raise CheckError(f"The column {column} that says when a row is known is not in the input; name one that is.")
    instant = pl.col(column)
    if frame.schema[column] == pl.Date:
        instant = instant.cast(pl.Datetime("us"))
    zone = getattr(moment, "tzinfo", None)
    if zone is not None and getattr(frame.schema[column], "time_zone", None) is None:
        instant = instant.dt.replace_time_zone(str(zone), ambiguous="latest", non_existent="null")
    return instant


@dataclass(frozen=True, slots=True)
class Replay:
    """A feature that was computed, and all that is needed to compute rows of it again.

    compute: the function, from its inputs by parameter to its table. key: the columns that identify a row.
    """

    compute: Compute
    inputs: Mapping[str, pl.DataFrame]
    batch: pl.DataFrame
    time: EventTime
    key: Sequence[str]
    seed: int = 0

    def leaks(self) -> list[Difference]:
        """What sampled rows look like when all inputs end at the row's own moment, where it differs."""
        return self._again(self._past)

    def skews(self) -> list[Difference]:
        """What sampled rows look like when each is computed alone, as in serving, where it differs from the batch."""
        spine = self._spine()
        return self._again(lambda row: {**self.inputs, spine: _only(self.inputs[spine], row, self.key)})

    def _past(self, row: Mapping[str, Any]) -> Mapping[str, pl.DataFrame]:
        known, moment = self.time.known, row[self.time.column]
        return {
            name: as_known_at(frame, known[name], moment) if name in known else frame
            for name, frame in self.inputs.items()
        }

    def _spine(self) -> str:
        fitting = [name for name, frame in self.inputs.items() if set(self.key) <= set(frame.columns)]
        if self.time.rows or fitting:
            return self.time.rows or fitting[0]
        raise CheckError(
            f"No input has the columns {listed(self.key)}: say in EventTime(rows=...) which one holds the rows."
        )

    def _again(self, inputs_of: Callable[[Mapping[str, Any]], Mapping[str, pl.DataFrame]]) -> list[Difference]:
        if missing := [name for name in (self.time.column, *self.key) if name not in self.batch.columns]:
            raise CheckError(f"The feature has no column {listed(missing)}, by which its rows could be computed again.")
        usable = self.batch.drop_nulls(self.time.column)
        sample = usable.sample(min(self.time.sample, usable.height), seed=self.seed)
        found = []
        for row in sample.iter_rows(named=True):
            found += _differences(row, _only(self.compute(inputs_of(row)), row, self.key), self.time, self.key)
        return found


def _only(frame: pl.DataFrame, row: Mapping[str, Any], key: Sequence[str]) -> pl.DataFrame:
    return frame.filter(pl.col(name).eq_missing(pl.lit(row[name], frame.schema[name])) for name in key)


def _differences(row: Mapping[str, Any], again: pl.DataFrame, time: EventTime, key: Sequence[str]) -> list[Difference]:
    ident = tuple(row[name] for name in key)
    if again.height != 1:
        return [Difference(ident, row[time.column], "(rows)", 1, again.height)]
    now = again.row(0, named=True)
    return [
        Difference(ident, row[time.column], name, value, now.get(name))
        for name, value in row.items()
        if name not in time.labels and not _same(value, now.get(name))
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)
