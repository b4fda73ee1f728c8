"""What a function returns: the value alone, or with what Dagster shall be told besides."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from platform_core.catalog.values import REJECTED


def value_of(returned: Any) -> Any:
    if isinstance(returned, dg.MaterializeResult) and returned.value is dg.MaterializeResult().value:
        return None  # what that default stands for
    return returned.value if isinstance(returned, dg.Output | dg.MaterializeResult) else returned


def is_rejected(returned: Any) -> bool:
    """Whether the function says itself that its value is not to be published."""
    return isinstance(returned, dg.Output) and REJECTED in (returned.metadata or {})


def results_of(returned: Any) -> list[dg.AssetCheckResult]:
    """The check results that a function gives with its value."""
    return list(returned.check_results or ()) if isinstance(returned, dg.MaterializeResult) else []


def with_value(
    returned: Any, value: Any, more: Mapping[str, Any], results: Sequence[dg.AssetCheckResult] | None = None
) -> dg.Output[Any] | dg.MaterializeResult[Any]:
    """Another value with all that the function said besides, more metadata, and perhaps other check results."""
    if not isinstance(returned, dg.Output | dg.MaterializeResult):
        return dg.Output(value, metadata=dict(more))
    metadata = {**(returned.metadata or {}), **more}
    if isinstance(returned, dg.Output):
        return dg.Output(value, metadata=metadata, data_version=returned.data_version, tags=returned.tags)
    return dg.MaterializeResult(
        asset_key=returned.asset_key,
        metadata=metadata,
        check_results=returned.check_results if results is None else results,
        data_version=returned.data_version,
        tags=returned.tags,
        value=value,
    )
