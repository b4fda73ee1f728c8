"""What assets declare of themselves, and of what they read."""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg


def specs_of(assets: Iterable[Any]) -> list[dg.AssetSpec]:
    """One for each key: of assets that are computed, and of those that are only declared."""
    return [
        spec
        for asset in assets
        for spec in ([asset] if isinstance(asset, dg.AssetSpec) else getattr(asset, "specs", []))
    ]


def read_by(made: dg.AssetsDefinition, assets: Iterable[Any]) -> Sequence[dg.AssetSpec]:
    """What an asset reads, by name and partitions alone: so that it can be computed by itself.

    Args:
        assets: those of its location.
    """
    partitions = {spec.key: spec.partitions_def for spec in specs_of(assets)}
    keys = {dep.asset_key for spec in made.specs for dep in spec.deps} - set(made.keys)
    return [dg.AssetSpec(key, partitions_def=partitions.get(key)) for key in sorted(keys)]
