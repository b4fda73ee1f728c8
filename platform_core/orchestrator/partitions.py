"""The partitions of a run: its tags, and which of an upstream asset it needs."""

from collections.abc import Mapping, Sequence

import dagster as dg

from platform_core.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    PlanOrchestrationContext,
    StepExecutionContext,
    partition_loading_context,
)


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Run tags for one partition, or for the range between the first and the last of several."""
    if not keys:
        return {}
    if len(keys) == 1:
        return {PARTITION_NAME_TAG: keys[0]}
    return {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}


def one_partition(tags: Mapping[str, str], definition: dg.PartitionsDefinition, key: str) -> dict[str, str]:
    """The tags of a run as they would be if it were of that partition alone."""
    of_range = (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    kept = {name: value for name, value in tags.items() if name not in of_range}
    return kept | dict(definition.get_tags_for_partition_key(key))


def partitions_of(context: PlanOrchestrationContext, definition: dg.PartitionsDefinition) -> Sequence[str]:
    """The partitions that a run is for, of those of a definition."""
    tags = context.dagster_run.tags
    if ASSET_PARTITION_RANGE_START_TAG not in tags:
        return [tags[PARTITION_NAME_TAG]] if PARTITION_NAME_TAG in tags else []
    ends = dg.PartitionKeyRange(tags[ASSET_PARTITION_RANGE_START_TAG], tags[ASSET_PARTITION_RANGE_END_TAG])
    with partition_loading_context(dynamic_partitions_store=context.instance):
        return definition.get_partition_keys_in_range(ends)


def needed_upstream(context: dg.OutputContext, upstream: dg.AssetKey, partition: str) -> set[str] | None:
    """The partitions of an upstream asset that a partition of this one is computed from; None where it has none."""
    step: StepExecutionContext = context.step_context
    graph = step.job_def.asset_layer.asset_graph
    above = graph.get(upstream).partitions_def if graph.has(upstream) else None
    own = graph.get(context.asset_key).partitions_def
    if above is None or own is None:
        return None
    mapping = graph.get_partition_mapping(context.asset_key, upstream)
    with partition_loading_context(dynamic_partitions_store=step.instance):
        wanted = own.subset_with_partition_keys([partition])
        found = mapping.get_upstream_mapped_partitions_result_for_partitions(wanted, own, above)
        return set(found.partitions_subset.get_partition_keys())
