"""Looks at stored versions with the checks that their assets declare at present."""

from collections.abc import Sequence
from typing import Any, Protocol

import dagster as dg

from platform_core.auditing.stored import results_of_version
from platform_core.catalog.opening import open_catalog
from platform_core.errors import HeadraceError, NotFoundError
from platform_core.runner.loading import LoadedLocation
from platform_core.settings import current_settings


class Messages(Protocol):
    def send(self, kind: str, **content: Any) -> None: ...


def validate(location: LoadedLocation, ids: Sequence[str], messages: Messages) -> int:
    """Tells what the checks say of each version. Returns 1 when a blocking one does not pass."""
    code = 0
    catalog = open_catalog(current_settings().catalog)
    for text in ids:
        version = catalog.version(text)
        asset, checks = declared_of(location, version.asset)
        try:
            results = results_of_version(asset, checks, version)
        except HeadraceError as error:
            messages.send("refused", sentence=str(error))
            code = 1
            continue
        messages.send("validated", version=version.id, partition=version.partition, results=_plain(results))
        failed = [item for item in results if not item.passed and item.severity == dg.AssetCheckSeverity.ERROR]
        code = 1 if failed else code
    return code


def declared_of(location: LoadedLocation, name: str) -> tuple[dg.AssetsDefinition, list[dg.AssetChecksDefinition]]:
    """The asset of this name as the location declares it, and its checks that are steps of their own."""
    key = dg.AssetKey(name.split("/"))
    repository = location.definitions.get_repository_def()
    asset = repository.assets_defs_by_key.get(key)
    if asset is None or not asset.is_executable:
        raise NotFoundError(f"{location.name} no longer computes {name}, so nobody declares checks for it.")
    checks = [
        item
        for item in location.definitions.asset_checks or ()
        if isinstance(item, dg.AssetChecksDefinition) and any(spec.asset_key == key for spec in item.check_specs)
    ]
    return asset, checks


def _plain(results: Sequence[dg.AssetCheckResult]) -> list[dict[str, Any]]:
    return [
        {
            "check": item.check_name,
            "passed": item.passed,
            "severity": item.severity.value,
            "description": item.description or "",
        }
        for item in results
    ]
