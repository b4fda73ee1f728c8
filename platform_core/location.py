"""Puts a team's modules together as one code location, and refuses what does not hold."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import dagster as dg

from platform_core.automation import automation_sensor
from platform_core.console_log import console_log
from platform_core.errors import DefinitionError, did_you_mean
from platform_core.layers import LAYER_TAG, MAY_READ, Layer


def build_location(
    name: str,
    modules: Sequence[ModuleType],
    *,
    resources: Mapping[str, Any],
    schedules: Sequence[dg.ScheduleDefinition] = (),
    sensors: Sequence[dg.SensorDefinition] = (),
    imports: Iterable[str] = (),
) -> dg.Definitions:
    """The definitions of the location `name`.

    Args:
        modules: modules whose assets and checks belong to the location.
        resources: what the deployment hands to every location.
        imports: keys of other locations' assets that this one reads, such as `airports/hourly_delays`.

    Raises:
        DefinitionError: an asset reads a key that nobody declares, or one of a layer it may not read.
    """
    owner = location_owner(modules[0], name)
    assets = dg.map_asset_specs(lambda spec: _owned(spec, owner), _loaded(modules))
    check_layering([spec for asset in assets for spec in _specs(asset)], imports)
    return dg.Definitions(
        assets=assets,
        asset_checks=dg.load_asset_checks_from_modules(modules),
        resources=dict(resources),
        schedules=schedules,
        sensors=[*sensors, automation_sensor(name)],
        executor=dg.in_process_executor,
        loggers={"console": console_log},
    )


def _loaded(modules: Sequence[ModuleType]) -> list[Any]:
    """The assets of modules, with those that are only declared because something else writes them."""
    return list(dg.load_assets_from_modules(modules, include_specs=True))


def location_owner(module: ModuleType, name: str) -> str:
    """The owner that the location's pyproject.toml names under `[tool.headrace]`."""
    path = Path(cast(str, module.__file__)).parent / "pyproject.toml"
    owner = tomllib.loads(path.read_text()).get("tool", {}).get("headrace", {}).get("owner") if path.is_file() else None
    if not owner:
        raise DefinitionError(
            f'Location {name} has no owner: write owner = "team:<name>" under [tool.headrace] in {path}.'
        )
    return str(owner)


def _owned(spec: dg.AssetSpec, owner: str) -> dg.AssetSpec:
    return spec if spec.owners else spec.replace_attributes(owners=[owner])


def _specs(asset: Any) -> Iterable[dg.AssetSpec]:
    return [asset] if isinstance(asset, dg.AssetSpec) else getattr(asset, "specs", [])


def check_layering(specs: Sequence[dg.AssetSpec], imports: Iterable[str] = ()) -> None:
    """Refuses a misspelt upstream, and a read that goes against the order of the layers."""
    layers = {spec.key.to_user_string(): cast(Layer | None, spec.tags.get(LAYER_TAG)) for spec in specs}
    elsewhere = set(imports)
    for spec in specs:
        asset = spec.key.to_user_string()
        for upstream in (dep.asset_key.to_user_string() for dep in spec.deps):
            if upstream not in layers and upstream not in elsewhere:
                raise DefinitionError(_unknown(asset, upstream, layers))
            _check_layer(asset, layers[asset], upstream, layers.get(upstream))


def _unknown(asset: str, upstream: str, known: Iterable[str]) -> str:
    return (
        f"{asset} reads {upstream}, which no asset of this location is called.{did_you_mean(upstream, known)}"
        " An asset of another location is named in build_location(imports=...)."
    )


def _check_layer(asset: str, layer: Layer | None, upstream: str, upstream_layer: Layer | None) -> None:
    if layer and upstream_layer and upstream_layer not in MAY_READ[layer]:
        raise DefinitionError(
            f"{asset} is a {layer} and reads {upstream}, which is a {upstream_layer};"
            f" a {layer} may read only: {', '.join(MAY_READ[layer])}."
        )
