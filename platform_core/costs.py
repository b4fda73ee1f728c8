"""What computing cost whom: sums over the usage that the catalog knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from platform_core.catalog.accounting import Usage

By = Literal["team", "asset", "month", "namespace"]
WAYS: tuple[By, ...] = get_args(By)
NOBODYS = "nobody's"


@dataclass(frozen=True, slots=True)
class Spending:
    """Seconds of steps and their cost, of what `keys` name in the order of what was asked; None: without a price."""

    keys: tuple[str, ...]
    seconds: float
    cost: float | None


def team_of(asset: str, owners: Mapping[str, str]) -> str:
    """The team whose location an asset is of."""
    return owners.get(asset.partition("/")[0], NOBODYS)


def spending(usage: Iterable[Usage], by: Sequence[By], owners: Mapping[str, str]) -> list[Spending]:
    """The sums by some of team, asset, month and namespace; what cost most first, without what took nothing.

    Args:
        owners: by name of a location its team.
    """
    sums: dict[tuple[str, ...], tuple[float, float | None]] = {}
    for item in usage:
        named = {"asset": item.asset, "month": item.month, "namespace": item.namespace}
        keys = tuple(team_of(item.asset, owners) if way == "team" else named[way] for way in by)
        seconds, cost = sums.get(keys, (0.0, None))
        sums[keys] = seconds + item.seconds, cost if item.cost is None else (cost or 0.0) + item.cost
    found = [Spending(keys, *total) for keys, total in sums.items() if total[0] or total[1]]
    return sorted(found, key=lambda one: (-(one.cost or 0.0), -one.seconds, one.keys))
