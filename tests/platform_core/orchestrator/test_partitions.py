"""The partitions of a run are in its tags."""

import dagster as dg

from platform_core.orchestrator.partitions import one_partition, partition_tags


def test_the_tags_of_no_one_and_several_partitions() -> None:
    assert partition_tags([]) == {}
    assert partition_tags(["jan"]) == {"dagster/partition": "jan"}
    assert partition_tags(["jan", "feb", "mar"]) == {
        "dagster/asset_partition_range_start": "jan",
        "dagster/asset_partition_range_end": "mar",
    }


def test_a_run_of_several_partitions_told_for_one_of_them() -> None:
    months = dg.StaticPartitionsDefinition(["jan", "feb", "mar"])
    told = one_partition({**partition_tags(["jan", "mar"]), "user": "ana"}, months, "feb")
    assert told == {"user": "ana", "dagster/partition": "feb"}
