"""The geometry of a report's pictures; how they look is the template's business."""

from collections.abc import Sequence
from dataclasses import dataclass

from platform_core.branches.comparison import Metric
from platform_core.checks.distributions import Shift

WIDTH, HEIGHT = 360.0, 140.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of two distributions: both heights in pixels, and both shares for who looks closer."""

    x: float
    width: float
    before: float
    after: float
    label: str
    shares: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    value: float


def overlaid(shift: Shift) -> list[Bar]:
    """Two distributions over the same bins, one in front of the other."""
    pairs = list(zip(shift.before, shift.after, strict=True))
    top = max((max(pair) for pair in pairs), default=0.0) or 1.0
    step = WIDTH / max(len(pairs), 1)
    return [
        Bar(number * step, 0.92 * step, HEIGHT * pair[0] / top, HEIGHT * pair[1] / top, label, pair)
        for number, (pair, label) in enumerate(zip(pairs, shift.labels, strict=True))
    ]


def line(metric: Metric) -> list[Point]:
    """A metric over production's versions, the branch's being the last point."""
    values: Sequence[float] = (*metric.history, metric.now)
    low, high = min(values), max(values)
    room = (high - low) or abs(high) or 1.0
    step = WIDTH / max(len(values), 2)
    return [
        Point((number + 0.5) * step, HEIGHT * (0.9 - 0.8 * (value - low) / room), value)
        for number, value in enumerate(values)
    ]
