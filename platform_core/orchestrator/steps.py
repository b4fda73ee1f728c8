"""What a step materialises, reads and was told; what its asset is computed by."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    AssetNode,
    LocalComputeLogManager,
    PlanOrchestrationContext,
    StepExecutionContext,
)


def asset_nodes_of(context: PlanOrchestrationContext, step: Any) -> list[AssetNode]:
    """What a step materialises of the run's assets; the plan knows only the name of its function."""
    layer = context.job.get_definition().asset_layer
    chosen = layer.get_selected_entity_keys_for_node(step.node_handle)
    return [layer.get(key) for key in sorted(key for key in chosen if isinstance(key, dg.AssetKey))]


def upstream_nodes(context: PlanOrchestrationContext, node: AssetNode) -> list[AssetNode]:
    """The assets that one reads, as far as its location knows them."""
    layer = context.job.get_definition().asset_layer
    return [layer.get(key) for key in node.parent_keys if layer.has(key)]


def captured_files(instance: dg.DagsterInstance, run_id: str, event: dg.DagsterEvent) -> list[str]:
    """The local files that hold the standard output and error of the step that an event of capture is about."""
    manager: Any = instance.compute_log_manager
    local = getattr(manager, "local_manager", manager)  # one that keeps logs elsewhere captures to files first
    if not isinstance(local, LocalComputeLogManager):
        return []
    key = [*manager.build_log_key_for_run(run_id, event.logs_captured_data.file_key)]
    return [local.get_captured_local_path(key, extension) for extension in ("out", "err")]


def set_data_version(context: dg.OutputContext, version: str) -> None:
    """Gives the content's hash as the asset's data version. Publicly only the asset's own function could,
    which does not know yet what it is going to be when written."""
    step: StepExecutionContext = context.step_context
    step.set_data_version(context.asset_key, dg.DataVersion(version))


@contextmanager
def replaced_function(
    asset: dg.AssetsDefinition, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Within, an asset is computed by what `make` makes of its function: publicly one would have to declare it anew."""
    op: Any = asset.node_def
    before = op._compute_fn
    op._compute_fn = type(before)(make(before.decorated_fn))
    try:
        yield
    finally:
        op._compute_fn = before


def take_output_metadata(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """What a step was told of its output so far, which it forgets: publicly it can only be added to."""
    step: Any = context.op_execution_context._step_execution_context
    told = step._metadata_accumulator
    step._metadata_accumulator = type(told).empty()
    return {name: value for said in told.per_output_metadata.values() for name, value in said.items()}
