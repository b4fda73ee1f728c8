"""A policy for a layer, which an asset's own wins over."""

from datetime import timedelta

import dagster as dg

from platform_core.auditing.freshness import fresh, policy_of
from platform_core.layers import fact, feature


def test_an_age_is_a_window_with_a_warning_before_its_end() -> None:
    policy = policy_of(timedelta(days=10))
    assert policy == dg.FreshnessPolicy.time_window(timedelta(days=10), timedelta(days=8))


def test_each_layer_has_its_policy_and_an_assets_own_wins() -> None:
    own = dg.FreshnessPolicy.cron("0 6 * * *", timedelta(hours=1))

    @fact(key_prefix="t")
    def plain() -> None: ...

    @fact(key_prefix="t", freshness_policy=own)
    def strict() -> None: ...

    @feature(key_prefix="t")
    def other() -> None: ...

    found = {
        spec.key.path[-1]: spec.freshness_policy
        for asset in fresh([plain, strict, other], {"fact": timedelta(days=1)})
        for spec in asset.specs
    }
    assert found == {"plain": policy_of(timedelta(days=1)), "strict": own, "other": None}
