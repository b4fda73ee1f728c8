"""Is one model worse than another on the same rows? A paired bootstrap, on the whole and on segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from platform_core.errors import CheckError, listed

if TYPE_CHECKING:
    from numpy import ndarray

CONFIDENCE = 0.95
DRAWS = 2_000
MOST_GROUPS = 1_000  # rows beyond are drawn in so many groups: the interval is the same, the time is not
FEWEST_ROWS = 30  # of a segment, below which nothing is said of it
EVERYTHING = "all rows"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The mean loss of production and challenger on the same rows, and the interval of the difference.

    low, high: of challenger minus production; simultaneous over all parts that were compared (Bonferroni).
    """

    part: str
    rows: int
    production: float
    challenger: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        """Whether the challenger loses more than production even at the favourable end of the interval."""
        return self.low > 0


def compare_losses(
    losses: pl.DataFrame, segments: Sequence[str] = (), cluster: str | None = None, seed: int = 0
) -> list[Verdict]:
    """The verdict on all rows first, then on every segment with at least `FEWEST_ROWS` rows.

    Args:
        losses: one row per held-out row with `production` and `challenger` (less is better) and the columns named.
        segments: columns, each of whose values is a part of its own.
        cluster: a column whose rows depend on each other, such as the day; whole clusters are drawn.
    """
    named = ("production", "challenger", *segments, *([cluster] if cluster else []))
    if missing := [name for name in named if name not in losses.columns]:
        raise CheckError(f"The losses lack {listed(missing)}; name columns of the held-out rows.")
    usable = losses.drop_nulls(["production", "challenger"])
    parts = {EVERYTHING: usable} if usable.height else {}
    for name in segments:
        parts |= {f"{name} {value}": rows for (value,), rows in sorted_parts(usable, name)}
    return [_verdict(part, rows, cluster, len(parts), seed) for part, rows in parts.items()]


def sorted_parts(rows: pl.DataFrame, name: str) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    """The rows of each value that is frequent enough to be judged, by value."""
    parts = rows.partition_by(name, as_dict=True, maintain_order=True).items()
    return sorted((item for item in parts if item[1].height >= FEWEST_ROWS), key=lambda item: str(item[0]))


def _verdict(part: str, rows: pl.DataFrame, cluster: str | None, parts: int, seed: int) -> Verdict:
    low, high = _interval(_groups(rows, cluster, seed), 1 - (1 - CONFIDENCE) / parts, seed)
    production, challenger = rows.select(pl.col("production", "challenger").mean()).row(0)
    return Verdict(part, rows.height, production, challenger, low, high)


def _groups(rows: pl.DataFrame, cluster: str | None, seed: int) -> pl.DataFrame:
    """Sum of differences and number of rows of what is drawn together."""
    difference = rows.select(
        (pl.col("challenger") - pl.col("production")).alias("sum"), *([cluster] if cluster else [])
    )
    if cluster is None:
        alone = pl.int_range(pl.len()).shuffle(seed) % MOST_GROUPS
        cluster, difference = "__group", difference.with_columns(alone.alias("__group"))
    grouped = difference.group_by(cluster, maintain_order=True)
    return grouped.agg(pl.col("sum").sum(), rows=pl.len()).drop(cluster)


def _interval(groups: pl.DataFrame, confidence: float, seed: int) -> tuple[float, float]:
    """The percentile interval of the mean difference over draws of groups with replacement (Efron 1979)."""
    import numpy as np

    random = np.random.default_rng(seed)
    sums, rows = groups["sum"].to_numpy(), groups["rows"].to_numpy()
    means: ndarray = np.empty(DRAWS)
    for draw in range(DRAWS):  # one at a time: all draws at once would take gigabytes of memory
        chosen = random.integers(0, len(sums), len(sums))
        means[draw] = sums[chosen].sum() / rows[chosen].sum()
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
