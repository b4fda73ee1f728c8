"""Puts a team's modules together as one code location, and refuses what does not hold."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import dagster as dg

from platform_core.alerts.sensor import alert_sensor
from platform_core.auditing.freshness import Freshness, fresh
from platform_core.auditing.links import linked_to_models
from platform_core.auditing.publication import audited
from platform_core.auditing.quarantine import quarantines
from platform_core.auditing.specs import specs_of
from platform_core.automation import automation_sensor
from platform_core.compute.declaration import check_placements
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.console_log import console_log
from platform_core.errors import DefinitionError, did_you_mean
from platform_core.layering import LAYER_TAG, Layer, refused_reading
from platform_core.locations import owner_in
from platform_core.logs import configure
from platform_core.open_tables.sensor import open_tables_sensor
from platform_core.settings import current_settings
from platform_core.trials.job import sweep_job


def build_location(
    name: str,
    modules: Sequence[ModuleType],
    *,
    resources: Mapping[str, Any],
    compute: ComputeTable,
    schedules: Sequence[dg.ScheduleDefinition] = (),
    sensors: Sequence[dg.SensorDefinition] = (),
    imports: Iterable[str] = (),
    freshness: Mapping[Layer, Freshness] | None = None,
) -> dg.Definitions:
    """The definitions of the location `name`.

    Args:
        modules: modules whose assets and checks belong to the location.
        resources: what the deployment hands to every location.
        compute: where the deployment runs steps.
        imports: keys of other locations' assets that this one reads, such as `airports/hourly_delays`.
        freshness: by layer how old an asset without a policy of its own may become before it counts as stale.

    Raises:
        DefinitionError: an asset reads a key that nobody declares, or one of a layer it may not read, or asks for
            what no backend of the deployment gives; or a blocking check could not keep it from being published.
    """
    configure()  # in a code server of Dagster's there is no earlier moment
    owner = location_owner(modules[0], name)
    loaded, checks = audited(_loaded(modules), dg.load_asset_checks_from_modules(modules), resources)
    assets = linked_to_models(dg.map_asset_specs(lambda spec: _owned(spec, owner), loaded))
    assets = [*fresh(assets, freshness or {}), *quarantines(assets)]
    check_layering(specs_of(assets), imports)
    check_placements(assets, compute)
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[sweep_job(assets, resources)],
        resources=dict(resources),
        schedules=schedules,
        sensors=[
            *sensors,
            automation_sensor(name),
            *([open_tables_sensor(name)] if current_settings().open_tables else []),
            *([alert_sensor(name, schedules)] if "notifier" in resources else []),
        ],
        executor=routing_executor(compute),
        loggers={"console": console_log},
    )


def _loaded(modules: Sequence[ModuleType]) -> list[Any]:
    """The assets of modules, with those that are only declared because something else writes them."""
    return list(dg.load_assets_from_modules(modules, include_specs=True))


def location_owner(module: ModuleType, name: str) -> str:
    """The owner that the location's pyproject.toml names under `[tool.headrace]`."""
    folder = Path(cast(str, module.__file__)).parent
    owner = owner_in(folder)
    if not owner:
        raise DefinitionError(
            f'Location {name} has no owner: write owner = "team:<name>" under [tool.headrace] in'
            f" {folder / 'pyproject.toml'}."
        )
    return owner


def _owned(spec: dg.AssetSpec, owner: str) -> dg.AssetSpec:
    return spec if spec.owners else spec.replace_attributes(owners=[owner])


def check_layering(specs: Sequence[dg.AssetSpec], imports: Iterable[str] = ()) -> None:
    """Refuses a misspelt upstream, and a read that goes against the order of the layers."""
    layers = {spec.key.to_user_string(): cast(Layer | None, spec.tags.get(LAYER_TAG)) for spec in specs}
    elsewhere = set(imports)
    for spec in specs:
        asset = spec.key.to_user_string()
        for upstream in (dep.asset_key.to_user_string() for dep in spec.deps):
            if upstream not in layers and upstream not in elsewhere:
                raise DefinitionError(_unknown(asset, upstream, layers))
            if sentence := refused_reading(asset, layers[asset], upstream, layers.get(upstream)):
                raise DefinitionError(sentence)


def _unknown(asset: str, upstream: str, known: Iterable[str]) -> str:
    return (
        f"{asset} reads {upstream}, which no asset of this location is called.{did_you_mean(upstream, known)}"
        " An asset of another location is named in build_location(imports=...)."
    )
