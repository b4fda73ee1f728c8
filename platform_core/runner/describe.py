"""What a location declares, as plain data for the checks that compare locations."""

from typing import Any

from platform_core.layers import LAYER_TAG
from platform_core.runner.loading import LoadedLocation


def describe(location: LoadedLocation) -> dict[str, Any]:
    """Assets with layer, owners, upstream and partitions; and the number of checks, schedules and sensors."""
    repository = location.definitions.get_repository_def()
    return {
        "assets": [_asset(location.graph.get(key)) for key in location.keys],
        "checks": len(location.graph.asset_check_keys),
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


def _asset(node: Any) -> dict[str, Any]:
    partitions = node.partitions_def.get_partition_keys() if node.partitions_def else []
    return {
        "key": node.key.to_user_string(),
        "layer": node.tags.get(LAYER_TAG),
        "owners": list(node.owners),
        "reads": sorted(key.to_user_string() for key in node.parent_keys),
        "partitions": len(partitions),
    }
