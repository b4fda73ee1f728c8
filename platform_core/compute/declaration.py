"""A Compute on an asset: how the arguments of an op carry it to wherever the step runs."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import dagster as dg

from platform_core.compute.frozen import require_digest, require_extras
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import COMPUTE_TAG, Compute, compute_of
from platform_core.errors import DefinitionError
from platform_core.settings import current_settings

COMPUTED_CHECK = "computed"  # of assets whose failure does not stop what is downstream
ONE_PARTITION_AT_A_TIME = "headrace/one_partition_at_a_time"  # in the metadata of assets that cannot be split


def op_arguments(compute: Compute | None, given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Arguments for an op or asset that make its step run with a compute, with what it was given besides.

    Raises:
        DefinitionError: the retries are said twice.
    """
    if compute is None:
        return {}
    if compute.retries and given.get("retry_policy") is not None:
        raise DefinitionError(f"{name} has both Compute(retries=...) and a retry_policy; keep one of them.")
    arguments: dict[str, Any] = {"op_tags": {COMPUTE_TAG: _text(compute), **(given.get("op_tags") or {})}}
    if compute.retries:
        arguments["retry_policy"] = retry_policy(compute)
    return arguments


# Most assets of a location share a few computes, and a location may have thousands of assets.
@lru_cache(maxsize=1024)
def _text(compute: Compute) -> str:
    return compute.to_text()


@lru_cache(maxsize=1024)
def retry_policy(compute: Compute) -> dg.RetryPolicy:
    """Pauses that double, each up to a fifth longer or shorter, so that many steps do not come back together."""
    return dg.RetryPolicy(
        max_retries=compute.retries,
        delay=compute.retry_delay_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )


def computed_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check that tells when downstream goes on with an earlier version."""
    return dg.AssetCheckSpec(
        COMPUTED_CHECK,
        asset=asset,
        description="Fails, without stopping what is downstream, when the asset could not be computed.",
    )


def telling_computed(function: Callable[..., Any], asset: dg.AssetKey) -> Callable[..., Any]:
    """The function of an asset, which also says that its check `computed` passed.

    Raises:
        DefinitionError: the function awaits, which cannot be waited for here.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise DefinitionError(f'{asset.to_user_string()}: with on_failure="skip", write it as a plain function.')

    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Iterator[Any]:
        returned = function(*args, **kwargs)
        if inspect.isgenerator(returned):
            yield from returned
        else:
            yield returned if isinstance(returned, dg.Output | dg.MaterializeResult) else dg.Output(returned)
        yield dg.AssetCheckResult(passed=True, check_name=COMPUTED_CHECK, asset_key=asset)

    return told


def check_placements(assets: Iterable[Any], table: ComputeTable) -> None:
    """Refuses assets that the deployment could not place.

    Raises:
        DefinitionError: an unknown profile, more than its limits give, or in production an image without a digest.
        FrozenError: an extra that the location does not have.
    """
    for asset in assets:
        if isinstance(asset, dg.AssetsDefinition) and asset.is_executable:
            name = ", ".join(sorted(key.to_user_string() for key in asset.keys))
            placement = table.place(compute_of(asset.op.tags), name)
            if placement.compute.image is not None:
                require_digest(placement.compute.image, name, current_settings())
            require_extras(name.partition("/")[0], placement.compute.extras)
