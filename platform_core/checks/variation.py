"""How far parts of honest data lie apart, such as months: what a new part may differ before it counts as a shift."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

FEWEST = 4  # parts, below which they do not say how far they lie apart
RATE = 1 / 200  # of honest values of which one column or more is told
TWO_WAYS = 2  # in which a column can be told: by its distribution, and by what is missing
AT_LEAST = 0.25  # of what parts differ, whatever chance may explain of it


def usual_distance(counts: Sequence[Sequence[int]], distance: Callable[[Sequence[int], Sequence[int]], float]) -> float:
    """The mean distance of each part from all others together, without what sampling of so few rows explains.

    Args:
        counts: by part and bin.
        distance: a stability index, which for samples of one distribution is on average `(bins - 1) * (1/n + 1/m)`.
    """
    parts = [part for part in counts if sum(part)]
    if len(parts) < FEWEST:
        return 0.0
    total: list[int] = [sum(column) for column in zip(*parts, strict=True)]
    others = [[whole - own for whole, own in zip(total, part, strict=True)] for part in parts]
    pairs = list(zip(others, parts, strict=True))
    seen = sum(distance(rest, part) for rest, part in pairs) / len(parts)
    chance = sum(1 / sum(rest) + 1 / sum(part) for rest, part in pairs) / len(parts) * (len(total) - 1)
    return max(seen - chance, AT_LEAST * seen)


def usual_difference(shares: Sequence[float]) -> float:
    """The mean square of the difference of each part from the mean of the others."""
    if len(shares) < FEWEST:
        return 0.0
    total, others = sum(shares), len(shares) - 1
    return sum((share - (total - share) / others) ** 2 for share in shares) / len(shares)


@lru_cache(maxsize=256)
def most_times(parts: int, columns: int) -> float:
    """How many times what parts usually differ a new one may differ, so that `RATE` is kept.

    The quantile of F(1, parts - 1) for one of `columns`: differences are squares of one normal effect for each part,
    which is the widest that they can spread.
    """
    return student_quantile(1 - RATE / (2 * TWO_WAYS * columns), parts - 1) ** 2


def student_quantile(probability: float, freedom: int) -> float:
    """Of Student's distribution, by bisection; for probabilities above a half."""
    low, high = 0.0, 1.0
    while student(high, freedom) < probability:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, freedom) < probability else (low, middle)
    return high


def student(value: float, freedom: int) -> float:
    """The probability of at most this value (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(value / math.sqrt(freedom))
    odd, term, total = freedom % 2, 1.0, 0.0
    for number in range(freedom // 2):
        total += term
        step = 2 * number + 2 if odd else 2 * number + 1
        term *= step / (step + 1) * math.cos(angle) ** 2
    even = math.sin(angle) * total
    return 0.5 + ((angle + even * math.cos(angle)) / math.pi if odd else even / 2)
