"""An asset's checks of versions that are stored: by hand, or over history before a new rule is turned on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_type_hints

import dagster as dg

from platform_core.auditing.functions import function_of
from platform_core.auditing.guard import GUARD, Guard
from platform_core.auditing.subjects import models_in, subject_of
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import InputVersion, Version
from platform_core.errors import NotFoundError
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import read_versions

# On a function whose checks are not the platform's own, such as tests of dbt: what they say of a stored version.
JUDGES = "__headrace_judges__"
Judge = Callable[[Version], Sequence[dg.AssetCheckResult]]


def results_of_version(
    asset: dg.AssetsDefinition, checks: Sequence[dg.AssetChecksDefinition], version: Version
) -> list[dg.AssetCheckResult]:
    """What the checks of an asset say of a stored version. Nothing is written.

    Its inputs are the versions that it was computed from, in the types that the function reads.

    Raises:
        CheckError: its checks are of another kind, such as tests of dbt, and could not be asked.
        NotFoundError: the files of an input were given up.
    """
    key = dg.AssetKey(version.asset.split("/"))
    judge: Judge | None = getattr(function_of(asset), "__dict__", {}).get(JUDGES)
    if judge is not None:
        return list(judge(version))
    return [*_of_guard(asset, key, version), *(result for check in checks for result in _of_check(check, key, version))]


def _of_guard(asset: dg.AssetsDefinition, key: dg.AssetKey, version: Version) -> list[dg.AssetCheckResult]:
    guarded = function_of(asset)
    guard: Guard | None = getattr(guarded, "__dict__", {}).get(GUARD)
    if guard is None:
        return []
    function = inspect.unwrap(guarded, stop=lambda wrapper: GUARD not in wrapper.__dict__)
    kinds = get_type_hints(function)
    make = subject_of(
        guard,
        function,
        inputs=_inputs(version, kinds) if guard.audits else {},
        partitions=(version.partition,) if version.partition else (),
        models=models_in(asset.metadata_by_key.get(key, {})),
        before=version.transaction,
    )
    # Stored rows are never set aside: they are what is looked at.
    _, results, _ = replace(guard, quarantine=None).look(key, _read([version], guard), make)
    return results


def _read(versions: Sequence[Version], guard: Guard | None = None) -> Any:
    kind = None
    if guard and guard.schema and guard.schema.library == "pandas":
        import pandas

        kind = pandas.DataFrame
    return read_versions(open_store(current_settings().store), versions, kind)


def _inputs(version: Version, kinds: Mapping[str, Any]) -> dict[str, Any]:
    by_name: dict[str, list[InputVersion]] = {}
    for item in version.provenance.inputs:
        by_name.setdefault(item.name, []).append(item)
    catalog, store = open_catalog(current_settings().catalog), open_store(current_settings().store)
    found: dict[str, Any] = {}
    for name, items in by_name.items():
        versions = {known.id: known for known in catalog.versions([item.version for item in items])}
        wanted = [versions[item.version] for item in items if item.version in versions]
        if gone := [known.label for known in wanted if known.forgotten_at]:
            raise NotFoundError(
                f"{version.label} was computed from {gone[0]}, whose files were given up by `headrace gc`."
            )
        found[name] = read_versions(store, wanted, kinds.get(name))
    return found


def _of_check(check: dg.AssetChecksDefinition, key: dg.AssetKey, version: Version) -> Iterator[dg.AssetCheckResult]:
    """A check that is a step of its own, called with the stored value; one that needs more says so."""
    function: Callable[..., Any] = function_of(check)
    names = [spec.name for spec in check.check_specs if spec.asset_key == key]
    kinds = get_type_hints(function)
    (parameter, *others) = list(inspect.signature(function).parameters) or [""]
    if not names:
        return
    if others or not parameter:
        told = "Not run: it takes more than the asset's value."
        yield dg.AssetCheckResult(passed=True, check_name=names[0], asset_key=key, description=told)
        return
    store = open_store(current_settings().store)
    found = function(read_versions(store, [version], kinds.get(parameter)))
    yield found._replace(check_name=names[0], asset_key=key)
