"""How far two samples of a column lie apart: population stability index, a two-sample test, and missing values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from platform_core.checks.variation import most_times, usual_difference, usual_distance

BINS = 10
MOST_CATEGORIES = 30
SAMPLE = 50_000  # rows of each side that are compared; nulls are counted in all rows
MOST_PSI = 0.2  # the customary limit for "has shifted"
LEAST_P = 0.001
MOST_MISSING = 0.05  # points by which the share of missing values may differ
MANY = 10  # times as many rows as are drawn: hardly any is drawn twice
OTHER = "…"

Kind = Literal["numbers", "categories"]


@dataclass(frozen=True, slots=True)
class Shift:
    """How a column now compares with the reference.

    psi: population stability index over `labels`, of the values that are there (Siddiqi 2006).
    p: of the two-sample test, Kolmogorov-Smirnov for numbers, chi-squared for categories.
    missing: shares of missing values, of the reference and now.
    before, after: shares of the values that are there, by label.
    parts: of the reference, such as months. usual_psi: the index of each part against the others, on average and
        beyond chance. usual_missing: the mean square of what their shares of missing values differ.
    """

    column: str
    kind: Kind
    psi: float
    p: float
    missing: tuple[float, float]
    labels: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    rows: tuple[int, int]
    parts: int = 1
    usual_psi: float = 0.0
    usual_missing: float = 0.0

    def has_shifted(self, most_psi: float = MOST_PSI, least_p: float = LEAST_P, columns: int = 1) -> bool:
        """Both a large and a significant difference: alone, one is chance in few rows, the other trifling in many."""
        return self.psi > self.psi_limit(most_psi, columns) and self.p < least_p

    def misses_other(self, most: float = MOST_MISSING, least_p: float = LEAST_P, columns: int = 1) -> bool:
        return self._missing_moved > self.missing_limit(most, columns) and self._missing_p < least_p

    def psi_limit(self, most_psi: float = MOST_PSI, columns: int = 1) -> float:
        """`most_psi`, and what parts of the reference differ among themselves, times what chance may make of it."""
        return most_psi + (self.usual_psi * most_times(self.parts, columns) if self.usual_psi else 0.0)

    def missing_limit(self, most: float = MOST_MISSING, columns: int = 1) -> float:
        return most + (math.sqrt(self.usual_missing * most_times(self.parts, columns)) if self.usual_missing else 0.0)

    @property
    def _missing_moved(self) -> float:
        return abs(self.missing[1] - self.missing[0])

    @property
    def _missing_p(self) -> float:
        """Of the two-sided test for two shares with their common variance."""
        before, after = self.rows
        share = (self.missing[0] * before + self.missing[1] * after) / (before + after)
        variance = share * (1 - share) * (1 / before + 1 / after)
        return math.erfc(self._missing_moved / math.sqrt(2 * variance)) if variance else 1.0


def compare_columns(
    before: pl.LazyFrame | Sequence[pl.LazyFrame], after: pl.LazyFrame, columns: Sequence[str], seed: int = 0
) -> list[Shift]:
    """The shift of each column that can be compared; frames without rows give nothing.

    Args:
        before: the reference, in one or in the parts whose differences among themselves are no shift.
    """
    parts = [before] if isinstance(before, pl.LazyFrame) else before
    old, new = _whole([_read(frame, columns) for frame in parts], seed), _whole([_read(after, columns)], seed)
    return [_shift(name, old, new) for name in columns] if old.rows and new.rows else []


def comparable(schema: pl.Schema | dict[str, pl.DataType]) -> dict[str, Kind]:
    """The columns whose distributions mean something: not lists, dates and the like."""
    kinds: dict[str, Kind] = {}
    for name, dtype in schema.items():
        if dtype.is_numeric():
            kinds[name] = "numbers"
        elif dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum):
            kinds[name] = "categories"
    return kinds


@dataclass(frozen=True, slots=True)
class _Sample:
    """Rows that were drawn, with the shares of missing values and the number of all rows."""

    frame: pl.DataFrame
    rows: int
    missing: dict[str, float]
    parts: tuple[_Sample, ...] = ()


def _read(frame: pl.LazyFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Each column is read once."""
    return frame.select(columns).collect()


def _whole(frames: Sequence[pl.DataFrame], seed: int) -> _Sample:
    """Rows of each frame by its share of all rows; what is not a number counts as missing."""
    rows = sum(frame.height for frame in frames)
    most = min(SAMPLE / rows, 1.0) if rows else 1.0
    parts = [_sampled(frame, max(round(most * frame.height), 1), seed) for frame in frames if frame.height]
    if len(parts) < 2:  # noqa: PLR2004
        return parts[0] if parts else _Sample(pl.DataFrame(), 0, {})
    drawn = pl.concat([part.frame for part in parts], how="vertical_relaxed")
    missing = {name: sum(part.rows * part.missing[name] for part in parts) / rows for name in parts[0].missing}
    return _Sample(drawn, rows, missing, tuple(parts))


def _sampled(whole: pl.DataFrame, most: int, seed: int) -> _Sample:
    rows = whole.height
    # Without replacement all rows are shuffled for it, which of many takes longer than all the rest.
    drawn = whole.sample(most, seed=seed, with_replacement=rows > MANY * most) if rows > most else whole
    missing = {name: count / rows for name, count in whole.null_count().row(0, named=True).items()}
    for name in drawn.select(pl.selectors.float()).columns:
        missing[name] += drawn[name].is_nan().sum() / drawn.height
    return _Sample(drawn.with_columns(pl.selectors.float().fill_nan(None)), rows, missing)


def _shift(name: str, before: _Sample, after: _Sample) -> Shift:
    old, new = before.frame[name].drop_nulls(), after.frame[name].drop_nulls()
    numbers = old.dtype.is_numeric() and new.dtype.is_numeric()
    labels, count = _bins(old) if numbers else _categories(old, new)
    was, now = count(old), count(new)
    return Shift(
        name,
        "numbers" if numbers else "categories",
        stability(was, now),
        kolmogorov_smirnov(old, new) if numbers else chi_squared(was, now),
        (before.missing[name], after.missing[name]),
        labels,
        _shares(was),
        _shares(now),
        (before.rows, after.rows),
        max(len(before.parts), 1),
        usual_distance([count(part.frame[name].drop_nulls()) for part in before.parts], stability),
        usual_difference([part.missing[name] for part in before.parts]),
    )


def _shares(counts: Sequence[int]) -> tuple[float, ...]:
    return tuple(count / max(sum(counts), 1) for count in counts)


def stability(before: Sequence[int], after: Sequence[int]) -> float:
    """The population stability index of two counts over the same bins; half a row stands in for an empty bin."""
    if not sum(before) or not sum(after):
        return 0.0
    pairs = ((max(old, 0.5) / sum(before), max(new, 0.5) / sum(after)) for old, new in zip(before, after, strict=True))
    return sum((new - old) * math.log(new / old) for old, new in pairs)


def kolmogorov_smirnov(before: pl.Series, after: pl.Series) -> float:
    """The probability of a distance as large as between these samples, were they of one distribution.

    Asymptotic, with the correction for finite samples of Stephens (1970). Ties make it larger, never smaller.
    """
    import numpy as np

    if before.is_empty() or after.is_empty():
        return 1.0
    old, new = np.sort(before.cast(pl.Float64).to_numpy()), np.sort(after.cast(pl.Float64).to_numpy())
    every = np.concatenate([old, new])
    below = [np.searchsorted(side, every, side="right") / len(side) for side in (old, new)]
    distance = float(np.abs(below[0] - below[1]).max())
    root = math.sqrt(len(before) * len(after) / (len(before) + len(after)))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # noqa: PLR2004 (the series converges slowly there; the probability is 1 to twelve digits)
        return 1.0
    total: float = 2 * sum((-1) ** (term - 1) * math.exp(-2 * (term * scaled) ** 2) for term in range(1, 101))
    return min(max(total, 0.0), 1.0)


def chi_squared(before: Sequence[int], after: Sequence[int]) -> float:
    """The probability of counts as different, were both of one distribution (Wilson and Hilferty's approximation)."""
    rows, columns = (sum(before), sum(after)), [old + new for old, new in zip(before, after, strict=True)]
    used = [total for total in columns if total]
    freedom = len(used) - 1
    if freedom < 1 or not all(rows):
        return 1.0
    statistic = sum(
        (seen - row * total / sum(rows)) ** 2 / (row * total / sum(rows))
        for counts, row in zip((before, after), rows, strict=True)
        for seen, total in zip(counts, columns, strict=True)
        if total
    )
    part = 2 / (9 * freedom)
    return 0.5 * math.erfc(((statistic / freedom) ** (1 / 3) - (1 - part)) / math.sqrt(2 * part))


# Bins or categories of a column, and how many values of a series lie in each.
_Counter = tuple[tuple[str, ...], Callable[[pl.Series], list[int]]]


def _bins(before: pl.Series) -> _Counter:
    """Between the tenths of the reference; a value that is common makes fewer, wider bins."""
    if before.is_empty():
        return (), lambda _: []
    tenths = [len(before) * step // BINS for step in range(1, BINS)]
    breaks = sorted({float(value) for value in before.sort().gather(tenths)})
    labels = _labels(breaks)
    return labels, lambda series: _per_bin(series, breaks, labels)


def _labels(breaks: Sequence[float]) -> tuple[str, ...]:
    texts = [f"{edge:.4g}" for edge in breaks]
    return (f"≤ {texts[0]}", *(f"≤ {text}" for text in texts[1:]), f"> {texts[-1]}")


def _per_bin(series: pl.Series, breaks: Sequence[float], labels: Sequence[str]) -> list[int]:
    import numpy as np

    places = np.searchsorted(breaks, series.cast(pl.Float64).to_numpy(), side="left")
    return [int(count) for count in np.bincount(places, minlength=len(labels))]


def _categories(before: pl.Series, after: pl.Series) -> _Counter:
    """The most frequent categories of both sides together, and all others as one."""
    was, now = _frequencies(before), _frequencies(after)
    everything = sorted({*was, *now}, key=lambda name: (-was.get(name, 0) - now.get(name, 0), name))
    labels = everything[:MOST_CATEGORIES]
    others = (OTHER,) if len(everything) > MOST_CATEGORIES else ()

    def count(series: pl.Series) -> list[int]:
        found = _frequencies(series)
        counts = [found.get(name, 0) for name in labels]
        return [*counts, len(series) - sum(counts)] if others else counts

    return (*labels, *others), count


def _frequencies(series: pl.Series) -> dict[str, int]:
    return dict(series.cast(pl.String).value_counts().iter_rows())
