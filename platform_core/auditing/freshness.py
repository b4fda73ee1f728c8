"""How old an asset may become: Dagster's own freshness policies, said once for a layer."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from platform_core.layering import LAYER_TAG

# A policy of Dagster, or the age beyond which an asset is stale.
Freshness = timedelta | dg.FreshnessPolicy
WARNS_AT = 0.8  # of that age


def policy_of(freshness: Freshness) -> dg.FreshnessPolicy:
    if not isinstance(freshness, timedelta):
        return freshness
    return dg.FreshnessPolicy.time_window(fail_window=freshness, warn_window=WARNS_AT * freshness)


def fresh(assets: Iterable[Any], freshness: Mapping[Any, Freshness]) -> list[Any]:
    """Assets with the policy of their layer where they have none of their own."""
    policies = {layer: policy_of(item) for layer, item in freshness.items()}

    def keep_fresh(spec: dg.AssetSpec) -> dg.AssetSpec:
        policy = policies.get(spec.tags.get(LAYER_TAG))
        return spec if policy is None or spec.freshness_policy else spec.replace_attributes(freshness_policy=policy)

    return list(dg.map_asset_specs(keep_fresh, assets))
