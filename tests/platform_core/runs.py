"""Runs of small assets, with the IO manager of the platform."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import dagster as dg

from platform_core.io_manager import HeadraceIOManager
from platform_core.orchestrator.partitions import partition_tags

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@lru_cache
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


def run(
    *assets: Any,
    only: dg.AssetsDefinition | None = None,
    of: str = "",
    resources: Mapping[str, Any] | None = None,
    on: dg.DagsterInstance | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialises the assets, or `only` one of them, of a partition or of a range such as `a..c`."""
    return dg.materialize(
        assets,
        selection=None if only is None else [only],
        resources={"io_manager": HeadraceIOManager(), **(resources or {})},
        tags=partition_tags(of.split("..") if of else []),
        run_config=QUIET,
        instance=on or instance(),
        raise_on_error=False,
    )


def sentence(result: dg.ExecuteInProcessResult) -> str:
    """What the first step that failed says to a person: nothing when it failed with an error that is not ours."""
    assert not result.success
    data = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    return (data.user_failure_data.description or "") if data.user_failure_data else ""


def metadata(result: dg.ExecuteInProcessResult, asset: dg.AssetsDefinition) -> dict[str, Any]:
    """The metadata and tags of what a run tells of an asset."""
    events = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    (told,) = [item for item in events if item.asset_key == asset.key]
    return {name: value.value for name, value in told.metadata.items()} | {"tags": told.tags}
