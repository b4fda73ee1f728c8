"""What Dagster is told of dbt models: made by dagster-dbt from the manifest, in names of the platform."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from dagster_dbt.asset_utils import (
    DAGSTER_DBT_MANIFEST_METADATA_KEY,
    DAGSTER_DBT_TRANSLATOR_METADATA_KEY,
    build_dbt_specs,
)

from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.dbt.project import code_versions
from platform_core.io_manager import PARTITION_BY
from platform_core.layers import LAYER_TAG, PLURAL
from platform_core.partitions import lookback

# The table's name is that of a database that is thrown away; the others are objects, of which a step makes its own.
_LEFT_OUT = {"dagster/table_name", DAGSTER_DBT_MANIFEST_METADATA_KEY, DAGSTER_DBT_TRANSLATOR_METADATA_KEY}


class Translator(DagsterDbtTranslator):
    """Names dbt models as the platform names assets: `<location>/<model>`, with their layer as group and tag."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        props = dbt_resource_props
        location = props["source_name"] if props["resource_type"] == "source" else props["fqn"][1]
        return dg.AssetKey([location, props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return PLURAL.get(_layer(dbt_resource_props))  # type: ignore[call-overload, no-any-return]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        layer = _layer(dbt_resource_props)
        return {**super().get_tags(dbt_resource_props), **({LAYER_TAG: layer} if layer else {})}

    def get_code_version(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return code_versions().get(dbt_resource_props["unique_id"])  # sources have none

    def get_partition_mapping(
        self, dbt_resource_props: Mapping[str, Any], dbt_parent_resource_props: Mapping[str, Any]
    ) -> dg.PartitionMapping | None:
        periods = _meta(dbt_resource_props).get("lookback", {}).get(dbt_parent_resource_props["name"])
        return lookback(periods) if periods else None

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props.get("description", ""))  # without the SQL, which dbt's documentation shows

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The layer shows beside dbt and DuckDB."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        layer, column = _layer(props), _meta(props).get("partition_by")
        metadata = {name: value for name, value in spec.metadata.items() if name not in _LEFT_OUT}
        metadata |= {PARTITION_BY: column} if column else {}
        return spec.replace_attributes(kinds={*spec.kinds, layer} - {""}, metadata=metadata)

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> dg.AutomationCondition[Any] | None:  # noqa: ARG002
        return REBUILD_ON_CHANGE


def _layer(props: Mapping[str, Any]) -> str:
    return str(_meta(props).get("layer", ""))


def _meta(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the YAML says to the platform: layer, partition_by, and by input the periods before that are read too."""
    return props.get("config", {}).get("meta") or {}


def translated(manifest: Mapping[str, Any], select: str) -> tuple[Sequence[dg.AssetSpec], Sequence[dg.AssetCheckSpec]]:
    """The assets and checks that a part of a manifest becomes."""
    return build_dbt_specs(
        translator=Translator(),
        manifest=manifest,
        select=select,
        exclude="",
        selector="",
        io_manager_key=None,
        project=None,
    )
