"""Is there as much data as there usually is? Counts against the asset's own history, by median and MAD."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

FEWEST = 4  # earlier counts, below which only an empty load is told
MANY = 8  # earlier counts, from which on their own spread is trusted however wide it is
LEAST_SPREAD = 0.05  # counts that never varied may vary by some percent
WIDEST_OF_FEW = math.log(1.8)  # a doubled load is caught after few counts too
TO_DEVIATION = 1.4826  # MAD of a normal distribution to its standard deviation
WEEKDAYS_MATTER = 0.5  # they do when they explain more than half of the spread


@dataclass(frozen=True, slots=True)
class Counted:
    """An earlier count; `day` is the day that it is for, where that is known."""

    count: int
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a count is expected to be: the usual one, and the limits outside of which it is told. Inclusive."""

    usual: float
    least: float
    most: float
    of: int
    by_weekday: bool = False

    def holds(self, count: int) -> bool:
        return self.least <= count <= self.most


def expected_count(history: Sequence[Counted], day: date | None = None) -> Expected | None:
    """The limits for a count on `day`; None while there are fewer than `FEWEST` earlier counts that are not zero.

    Counts are compared as logarithms, so that twice as much is as far off as half. With at least `MANY` earlier
    counts, one in 200 honest ones falls outside (normally distributed logarithms); of fewer, spreads beyond 5 % are
    not known well enough to promise a rate.
    """
    known = [item for item in history if item.count > 0]
    if len(known) < FEWEST:
        return None
    logs = [math.log(item.count) for item in known]
    usual, spread, of = median(logs), _spread(logs), len(logs)
    if (weekdays := _by_weekday(known, day, spread)) is not None:
        usual, spread = weekdays
    limit = _width(of) * max(spread, LEAST_SPREAD)
    limit = limit if of >= MANY else min(limit, WIDEST_OF_FEW)
    return Expected(math.exp(usual), math.exp(usual - limit), math.exp(usual + limit), of, weekdays is not None)


def _spread(logs: Sequence[float]) -> float:
    middle = median(logs)
    return TO_DEVIATION * median(abs(item - middle) for item in logs)


def _width(of: int) -> float:
    """How many deviations are usual in one of 200 cases, when median and MAD come from so few values (simulated)."""
    return 2.9 + 15 / of + 160 / of**2


def _by_weekday(known: Sequence[Counted], day: date | None, spread: float) -> tuple[float, float] | None:
    """The usual logarithm of this weekday and the spread around those of all weekdays, when they explain most of it."""
    groups: dict[int, list[float]] = defaultdict(list)
    for item in known:
        if item.day is not None:
            groups[item.day.weekday()].append(math.log(item.count))
    if day is None or len(groups) < 2 or min(map(len, groups.values())) < FEWEST or day.weekday() not in groups:  # noqa: PLR2004
        return None
    usual = {weekday: median(logs) for weekday, logs in groups.items()}
    rest = [log - usual[weekday] for weekday, logs in groups.items() for log in logs]
    around = _spread(rest)
    return (usual[day.weekday()], around) if around < WEEKDAYS_MATTER * max(spread, LEAST_SPREAD) else None
