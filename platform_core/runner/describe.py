"""What a location declares, as plain data for the checks that compare locations."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from platform_core.compute.frozen import movable
from platform_core.compute.spec import Compute, compute_of
from platform_core.environments.environment import environment_of
from platform_core.layers import LAYER_TAG
from platform_core.runner.loading import LoadedLocation


def describe(location: LoadedLocation) -> dict[str, Any]:
    """Assets with layer, owners, upstream and partitions; checks and automations; notes on what production refuses."""
    repository = location.definitions.get_repository_def()
    return {
        "assets": [_asset(location.graph.get(key)) for key in location.keys],
        "declares": sorted(_declared(location)),
        "checks": len(location.graph.asset_check_keys),
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
        "extras": _extras(location),
        "notes": [note for asset, compute in _computes(location) if (note := movable(compute.image, asset))],
    }


def _extras(location: LoadedLocation) -> list[list[str]]:
    """The sets of extras that steps run with; the empty one is not among them."""
    return sorted(map(list, {compute.extras for _, compute in _computes(location)} - {()}))


def _computes(location: LoadedLocation) -> Iterator[tuple[str, Compute]]:
    """What each step asks for, by the names of its assets."""
    for item in location.definitions.assets or ():
        if isinstance(item, dg.AssetsDefinition) and item.is_executable:
            yield ", ".join(sorted(key.to_user_string() for key in item.keys)), compute_of(item.op.tags)


def _declared(location: LoadedLocation) -> Iterator[str]:
    """The keys that are the location's own: what it imports of others has no layer here."""
    for spec in location.definitions.resolve_all_asset_specs():
        if LAYER_TAG in spec.tags:
            yield spec.key.to_user_string()


def _asset(node: Any) -> dict[str, Any]:
    partitions = node.partitions_def.get_partition_keys() if node.partitions_def else []
    return {
        "key": node.key.to_user_string(),
        "layer": node.tags.get(LAYER_TAG),
        "owners": list(node.owners),
        "reads": sorted(key.to_user_string() for key in node.parent_keys),
        "partitions": len(partitions),
        "columns": _columns(node),
    }


def fingerprint(location: LoadedLocation) -> dict[str, Any]:
    """What tells whether the value of an asset would be another one, and which checks must pass: by the asset's key."""
    return {key.to_user_string(): _fingerprint(location, location.graph.get(key)) for key in location.keys}


def _fingerprint(location: LoadedLocation, node: Any) -> dict[str, Any]:
    checks = [location.graph.get_check_spec(key) for key in node.check_keys]
    return {
        "code": node.code_version or "",
        "environment": _environment(location, node),
        "partitions": node.partitions_def.get_serializable_unique_identifier() if node.partitions_def else "",
        "keys": list(node.partitions_def.get_partition_keys()) if node.partitions_def else [],
        "metadata": _plain(node.metadata),
        "blocking": sorted(spec.name for spec in checks if spec.blocking),
        "layer": node.tags.get(LAYER_TAG),
        "owners": list(node.owners),
        "reads": sorted(key.to_user_string() for key in node.parent_keys),
        "columns": _columns(node),
    }


def _environment(location: LoadedLocation, node: Any) -> str:
    """What versions of the asset say of where they were computed: a hash, or an image that was named by hand."""
    compute = compute_of(node.assets_def.op.tags)
    return compute.image or environment_of(location.name, compute.extras).hash


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that reads the same in every process."""
    values = {name: getattr(value, "value", value) for name, value in metadata.items()}
    return {name: value for name, value in sorted(values.items()) if isinstance(value, str | int | float | bool)}


def _columns(node: Any) -> list[dict[str, Any]]:
    """The declared columns, none where the asset has no schema."""
    schema = getattr(node.metadata.get("dagster/column_schema"), "value", None) or node.metadata.get(
        "dagster/column_schema"
    )
    return [
        {"name": column.name, "type": column.type, "nullable": column.constraints.nullable}
        for column in getattr(schema, "columns", ())
    ]
