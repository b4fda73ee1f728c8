"""dbt models as Dagster assets of a location: one call in the location, any number of models."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from platform_core.auditing.functions import function_of
from platform_core.auditing.publication import HOLDS_BACK
from platform_core.auditing.stored import JUDGES
from platform_core.catalog.values import Version
from platform_core.compute.declaration import op_arguments
from platform_core.compute.spec import Compute
from platform_core.dbt.described import described, manifest_of
from platform_core.dbt.project import parsed_project
from platform_core.errors import DefinitionError
from platform_core.event_metadata import common_data_version, raced, version_metadata
from platform_core.io_manager import PARTITION_BY
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.tracking.looking import LOOKS, present_look

HELD_BACK = "A model whose tests of severity error did not all pass is kept for a look, and read by nobody."
INSTEAD = "it is a dbt model, whose tests of severity error are its blocking checks; write one of those"
SELECT_TAG = "dagster_dbt/select"  # what dagster-dbt looks for when it makes a command of what a step has selected


def dbt_models(
    location: str,
    partitions_def: dg.PartitionsDefinition | None = None,
    compute: Compute | None = None,
    select: str = "",
) -> dg.AssetsDefinition:
    """The models below `models/<location>` of the dbt project, with their tests as asset checks. They share a step.

    Args:
        select: which of them, in dbt's syntax, such as `tag:monthly`, where some have partitions and others none.

    Raises:
        DefinitionError: there is none, or one says nothing of the partitions that it has, or of others.
    """
    name, select = _name(location, select), f"fqn:headrace.{location}{f',{select}' if select else ''}"
    specs, checks = described(select)
    _require_partitioned(specs, select, partitions_def)
    tags = {"op_tags": {SELECT_TAG: select}}

    @dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=checks,
        can_subset=True,
        allow_arbitrary_check_specs=True,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions_def else None,
        **(tags | op_arguments(compute, tags, name)),
    )
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if look := present_look():
            from platform_core.dbt.trying import try_model

            yield from try_model(context, look)
            return
        from platform_core.dbt.invocation import build
        from platform_core.dbt.translation import Translator

        parsed, translator = parsed_project(), Translator()
        manifest = manifest_of(parsed)
        outcome = build(context, parsed, manifest, select, translator)
        for message in outcome.messages:
            for event in message.to_default_asset_events(manifest, translator, context):
                yield from _told(event, _committed(outcome.receipts), context.instance)
        if outcome.failures:
            held_back = f" {HELD_BACK}" if any(line["refused"] for line in outcome.receipts) else ""
            raise dg.Failure(f"{'; '.join(outcome.failures)}.{held_back}", allow_retries=False)

    function_of(models).__dict__[HOLDS_BACK] = INSTEAD
    function_of(models).__dict__[JUDGES] = _judged
    function_of(models).__dict__[LOOKS] = _load
    return models


def _name(location: str, select: str) -> str:
    return f"{location}_dbt{re.sub('[^0-9A-Za-z]+', '_', f'_{select}' if select else '')}"


def _require_partitioned(
    specs: Sequence[dg.AssetSpec], select: str, partitions_def: dg.PartitionsDefinition | None
) -> None:
    if not specs:
        raise DefinitionError(f"The dbt project has no model for dbt_models: nothing is selected by {select}.")
    for spec in specs:
        if (PARTITION_BY in spec.metadata) != (partitions_def is not None):
            says, has = ("names a", "no partitions") if partitions_def is None else ("names no", "partitions")
            raise DefinitionError(
                f"{spec.key.to_user_string()} {says} column in meta.partition_by, but dbt_models gives it {has};"
                " use two calls of dbt_models with select=... for models with partitions and for others."
            )


def _load() -> None:
    from platform_core.dbt.invocation import load_dbt

    load_dbt()


def _judged(version: Version) -> list[dg.AssetCheckResult]:
    """What the tests of a model say of a stored version. What they read besides is what the namespace shows."""
    from platform_core.dbt.invocation import results_of_tests, test_result
    from platform_core.dbt.translation import Translator

    parsed, translator = parsed_project(), Translator()
    manifest = manifest_of(parsed)
    key = dg.AssetKey(version.asset.split("/"))
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    (model,) = [node for node in models if translator.get_asset_key(node) == key]
    select = f"fqn:{'.'.join(model['fqn'])}"
    found = results_of_tests(parsed, select, version.partition, {version.asset: [version.id]})
    return [test_result(item, key) for item in found if model["unique_id"] in item.node.depends_on.nodes]


def _committed(receipts: Sequence[Mapping[str, Any]]) -> dict[str, list[Version]]:
    """The published versions by the unique id of their model."""
    from platform_core.catalog.opening import open_catalog

    catalog = open_catalog(current_settings().catalog)
    published = [line for line in receipts if not line["refused"]]
    return {line["unique_id"]: [catalog.version(version) for version in line["versions"]] for line in published}


def _told(event: Any, committed: Mapping[str, list[Version]], instance: dg.DagsterInstance) -> Iterator[Any]:
    """A check as it ended; an asset only when its versions were committed, with what there is to say of them."""
    if not isinstance(event, dg.Output):
        yield event
    elif versions := committed.get(str(event.metadata["unique_id"].value)):
        from platform_core.catalog.opening import open_catalog

        settings = current_settings()
        metadata = version_metadata(open_store(settings.store), versions, versions[0].provenance.inputs)
        metadata |= raced(open_catalog(settings.catalog), versions, instance)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # for data_version, without which every run looks new
            yield dg.Output(
                None,
                output_name=event.output_name,
                metadata={**event.metadata, **metadata},
                data_version=dg.DataVersion(common_data_version(versions)),
            )
