"""What computing versions took: time, and money where profiles have a price."""

from collections.abc import Iterable
from dataclasses import dataclass

from platform_core.catalog.values import COST, SECONDS, Version


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of steps and their cost; None where no version tells."""

    seconds: float | None = None
    cost: float | None = None

    def __str__(self) -> str:
        time = "–" if self.seconds is None else f"{self.seconds:,.1f} s"
        return time if self.cost is None else f"{time}, {self.cost:,.4g}"


UNKNOWN = Spent()


def spent_on(versions: Iterable[Version]) -> Spent:
    """The sum over versions, of those that tell."""
    told = [version.metadata for version in versions]
    return Spent(_sum(item.get(SECONDS) for item in told), _sum(item.get(COST) for item in told))


def _sum(numbers: Iterable[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
