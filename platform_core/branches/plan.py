"""What a branch changed: which assets, why, and what follows from it. Knows descriptions of locations, nothing else."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Literal

Reason = Literal["new", "code", "dependencies", "schema", "partitions", "environment", "metadata", "removed"]
# By reason what of a description tells it. A change of metadata alone changes no value.
_TOLD_BY: Mapping[Reason, tuple[str, ...]] = {
    "code": ("function",),
    "dependencies": ("reads",),
    "schema": ("columns", "rules"),
    "partitions": ("partitions",),
    "environment": ("environment",),
    "metadata": ("metadata", "layer", "owners"),
}
_WITH_RULES = re.compile(r"([0-9a-f]{12})\.([0-9a-f]{8})")  # as `layers` makes the code version of an asset
_KEEPS_VALUES: frozenset[Reason] = frozenset({"metadata", "removed"})

Description = Mapping[str, Any]  # of an asset, as `runner.describe` gives it


@dataclass(frozen=True, slots=True)
class AssetChange:
    """An asset that differs from production's, and in what."""

    asset: str
    reasons: tuple[Reason, ...]

    @property
    def needs_computing(self) -> bool:
        return not set(self.reasons) <= _KEEPS_VALUES


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """What a branch changes.

    Args:
        changed: assets that differ, upstream before downstream; removed ones last.
        affected: assets that did not change and read one that has to be computed again, in the same order.
        order: all assets that have to be computed, upstream before downstream.
    """

    changed: tuple[AssetChange, ...]
    affected: tuple[str, ...]
    order: tuple[str, ...]


def make_plan(production: Mapping[str, Description], branch: Mapping[str, Description]) -> BranchPlan:
    """Compares the assets of the code that production runs with those of a branch, both by their key."""
    ordered = upstream_first(branch)
    changes = [
        AssetChange(asset, found) for asset in ordered if (found := _reasons(production.get(asset), branch[asset]))
    ]
    removed = [AssetChange(asset, ("removed",)) for asset in sorted(production.keys() - branch.keys())]
    stale = {change.asset for change in changes if change.needs_computing}
    for asset in ordered:
        if stale & set(branch[asset]["reads"]):
            stale.add(asset)
    own = {change.asset for change in changes if change.needs_computing}
    return BranchPlan(
        changed=(*changes, *removed),
        affected=tuple(asset for asset in ordered if asset in stale - own),
        order=tuple(asset for asset in ordered if asset in stale),
    )


def _reasons(before: Description | None, now: Description) -> tuple[Reason, ...]:
    if before is None:
        return ("new",)
    was, is_now = _in_parts(before), _in_parts(now)
    return tuple(reason for reason, parts in _TOLD_BY.items() if any(was[part] != is_now[part] for part in parts))


def _in_parts(description: Description) -> Description:
    """A description with the code of the function apart from the rules of its schema."""
    version = str(description["code"])
    parts = _WITH_RULES.fullmatch(version)
    function, rules = parts.groups() if parts else (version, "")
    return {**description, "function": function, "rules": rules}


def upstream_first(assets: Mapping[str, Description]) -> Sequence[str]:
    """The assets in an order in which each comes after those that it reads."""
    graph: dict[str, Iterable[str]] = {
        key: [up for up in assets[key]["reads"] if up in assets] for key in sorted(assets)
    }
    return list(TopologicalSorter(graph).static_order())
