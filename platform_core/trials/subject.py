"""The asset that is tried: what can be said to it, and what it reads."""

import inspect
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, get_type_hints

import dagster as dg
import yaml
from pydantic import ValidationError

from platform_core.auditing.functions import function_of
from platform_core.catalog.names import named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.errors import NotFoundError, did_you_mean, listed
from platform_core.explanation import explain_failure
from platform_core.settings import current_settings
from platform_core.tracking.looking import LOOKS

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@lru_cache(maxsize=1)
def instance_in_memory() -> dg.DagsterInstance:
    """Where trials are noted, and nobody looks: making one takes longer than most trials."""
    return dg.DagsterInstance.ephemeral()


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """What a person should read of the first step that failed; empty where none did."""
    failed = (event for event in result.all_events if event.is_step_failure)
    return next((explain_failure(event.step_failure_data) for event in failed), "")


def declared(assets: Iterable[Any], key: dg.AssetKey) -> dg.AssetsDefinition:
    """The asset as it was declared: in a repository it has its resources, which shall be others here."""
    return next(item for item in assets if isinstance(item, dg.AssetsDefinition) and key in item.keys)


def looks_itself(asset: dg.AssetsDefinition) -> bool:
    """Whether an asset is one of those that a function computes together with others, as dbt models are."""
    return LOOKS in getattr(function_of(asset), "__dict__", {})


def load_for_looks(assets: Iterable[Any], name: str) -> None:
    """Loads what a look at an asset of this name will need, if it looks by itself."""
    for asset in assets:
        names = {text for key in getattr(asset, "keys", ()) for text in (key.path[-1], key.to_user_string())}
        if name in names and looks_itself(asset):
            function_of(asset).__dict__[LOOKS]()


def require_function(asset: dg.AssetsDefinition, key: dg.AssetKey) -> None:
    """Refuses what is computed together with others.

    Raises:
        NotFoundError: it is.
    """
    if len(asset.keys) > 1 or function_of(asset) is None:
        raise NotFoundError(
            f"{key.to_user_string()} is not computed by a function of its own; run it in your namespace instead:"
            f" headrace run {key.to_user_string()}"
        )


def given_versions(asset: dg.AssetsDefinition, inputs: Mapping[str, str]) -> dict[str, Version]:
    """By parameter the version that shall be read for it.

    Raises:
        NotFoundError: there is no such parameter or version.
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    known = asset.keys_by_input_name
    if unknown := [name for name in inputs if name not in known]:
        name = asset.key.to_user_string()
        raise NotFoundError(f"{name} has no input '{unknown[0]}'.{did_you_mean(unknown[0], known)}")
    return {name: named_version(catalog, settings.writes_to, text) for name, text in inputs.items()}


def instead_of_parents(graph: Any, key: dg.AssetKey, inputs: Mapping[str, str]) -> dict[str, list[str]]:
    """By asset that is read the ids of the versions that shall be, of inputs that are named by asset.

    Raises:
        NotFoundError: it does not read such an asset, or there is no such version.
    """
    settings = current_settings()
    parents = {name: item for item in graph.get(key).parent_keys for name in (item.path[-1], item.to_user_string())}
    if unknown := [name for name in inputs if name not in parents]:
        raise NotFoundError(f"{key.to_user_string()} does not read '{unknown[0]}'.{did_you_mean(unknown[0], parents)}")
    catalog = open_catalog(settings.catalog)
    named = {name: named_version(catalog, settings.writes_to, text) for name, text in inputs.items()}
    return {parents[name].to_user_string(): [version.id] for name, version in named.items()}


def config_of(asset: dg.AssetsDefinition) -> type[dg.Config] | None:
    """The class of the parameter in which an asset takes its parameters."""
    hints = get_type_hints(inspect.unwrap(function_of(asset)))
    found = [kind for kind in hints.values() if isinstance(kind, type) and issubclass(kind, dg.Config)]
    return next((kind for kind in found if not issubclass(kind, dg.ConfigurableResource)), None)


def require_parameters(asset: dg.AssetsDefinition, names: Iterable[str]) -> type[dg.Config]:
    """The class of the parameters of an asset, which has all of these.

    Raises:
        NotFoundError: it does not.
    """
    name, kind = asset.key.to_user_string(), config_of(asset)
    known = list(kind.model_fields) if kind else []
    if kind is None or (unknown := [item for item in names if item not in known]):
        missing = next(iter(names)) if kind is None else unknown[0]
        has = f" It has: {listed(known)}." if known else " Give its function a parameter config: a class of dg.Config."
        raise NotFoundError(f"{name} has no parameter '{missing}'.{did_you_mean(missing, known)}{has}")
    return kind


def config_values(asset: dg.AssetsDefinition, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of parameters, each of its declared type.

    Raises:
        NotFoundError: there is no such parameter, or the value is not of its type.
    """
    if not given:
        return {}
    kind = require_parameters(asset, given)
    values = parsed(asset.key.to_user_string(), given)
    typed(asset.key.to_user_string(), kind, values)
    return values


def parsed(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of parameters of something, which people write as YAML.

    Raises:
        NotFoundError: a value is no YAML.
    """
    try:
        return {item: yaml.safe_load(text) for item, text in given.items()}
    except yaml.YAMLError as error:
        raise NotFoundError(f"A parameter of {name} cannot be used: {_first(error)}") from error


def typed(name: str, kind: type[dg.Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters, those that are not given by their defaults, each in its declared type.

    Raises:
        NotFoundError: a value is not of its type, or one that has no default is missing.
    """
    try:
        return dict(kind(**values).model_dump())
    except (ValidationError, dg.DagsterInvalidConfigError) as error:
        raise NotFoundError(f"A parameter of {name} cannot be used: {_first(error)}") from error


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        told = error.errors()[0]
        return f"{'.'.join(map(str, told['loc']))}={told['input']}: {told['msg']}."
    return str(error).splitlines()[0]


def can_be_shared(value: Any) -> bool:
    """Tables cannot be changed in place by whoever reads them, except those of pandas; objects can, and streams end."""
    return type(value).__module__.split(".")[0] in ("polars", "pyarrow") and type(value).__name__ != "RecordBatchReader"
