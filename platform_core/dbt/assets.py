"""dbt models as Dagster assets of a location: one call in the location, any number of models."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.catalog.catalog import open_catalog
from platform_core.catalog.values import Version
from platform_core.dbt.invocation import build
from platform_core.dbt.project import parsed_project
from platform_core.event_metadata import common_data_version, version_metadata
from platform_core.layers import LAYER_TAG, PLURAL
from platform_core.settings import current_settings
from platform_core.store.store import open_store

HELD_BACK = "A model that failed, or whose test of severity error did, wrote nothing."


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

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return str(dbt_resource_props.get("description", ""))  # without the SQL, which dbt's documentation shows

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The layer shows beside dbt and DuckDB; the table's name in a database that is thrown away does not."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        layer = _layer(self.get_resource_props(manifest, unique_id))
        metadata = {name: value for name, value in spec.metadata.items() if name != "dagster/table_name"}
        return spec.replace_attributes(kinds={*spec.kinds, layer} - {""}, metadata=metadata)

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> dg.AutomationCondition[Any] | None:  # noqa: ARG002
        return REBUILD_ON_CHANGE


def _layer(props: Mapping[str, Any]) -> str:
    return str(props.get("config", {}).get("meta", {}).get("layer", ""))


def dbt_models(location: str, partitions_def: dg.PartitionsDefinition | None = None) -> dg.AssetsDefinition:
    """The models below `models/<location>` of the dbt project, with their tests as asset checks."""
    parsed = parsed_project()
    manifest = json.loads((parsed / "manifest.json").read_text())
    select = f"fqn:headrace.{location}"
    translator = Translator()

    @dbt_assets(
        name=f"{location}_dbt",
        manifest=manifest,
        select=select,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions_def else None,
        dagster_dbt_translator=translator,
    )
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        outcome = build(context, parsed, manifest, select, translator)
        for message in outcome.messages:
            for event in message.to_default_asset_events(manifest, translator, context):
                yield from _told(event, _committed(outcome.receipts))
        if outcome.failures:
            raise dg.Failure(f"{'; '.join(outcome.failures)}. {HELD_BACK}", allow_retries=False)

    return models


def _committed(receipts: Sequence[Mapping[str, Any]]) -> dict[str, list[Version]]:
    """The committed versions by the unique id of their model."""
    catalog = open_catalog(current_settings().catalog)
    return {line["unique_id"]: [catalog.version(version) for version in line["versions"]] for line in receipts}


def _told(event: Any, committed: Mapping[str, list[Version]]) -> Iterator[Any]:
    """A check as it ended; an asset only when its versions were committed, with what there is to say of them."""
    if not isinstance(event, dg.Output):
        yield event
    elif versions := committed.get(str(event.metadata["unique_id"].value)):
        metadata = version_metadata(open_store(current_settings().store), versions, versions[0].provenance.inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # for data_version, without which every run looks new
            yield dg.Output(
                None,
                output_name=event.output_name,
                metadata={**event.metadata, **metadata},
                data_version=dg.DataVersion(common_data_version(versions)),
            )
