"""The decorators `@fact`, `@feature`, `@model` and `@prediction`: thin over `dg.asset`, all of whose arguments work."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol, get_args, get_type_hints, overload

import dagster as dg

from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.catalog.values import ROW_KEY
from platform_core.checks.schema import check_schema, row_key, schema_spec, table_schema
from platform_core.errors import DefinitionError
from platform_core.fingerprints import code_fingerprint
from platform_core.io_manager import PARTITION_BY, sentences

Layer = Literal["fact", "feature", "model", "prediction"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
LAYER_TAG = "headrace/layer"
CONTEXT_NAMES = frozenset({"context", "_context", "context_", "_"})  # Dagster takes any of them

# What each layer may be computed from. A prediction is an end: nothing that is trained or served may hang on it.
MAY_READ: Mapping[Layer, tuple[Layer, ...]] = {
    "fact": ("fact",),
    "feature": ("fact", "feature"),
    "model": ("fact", "feature", "model"),
    "prediction": ("fact", "feature", "model", "prediction"),
}
PLURAL: Mapping[Layer, str] = {layer: f"{layer}s" for layer in LAYERS}


class LayerDecorator(Protocol):
    """Declares an asset of a layer: a function whose parameters name what it reads, and whose value is kept.

    Args:
        schema: a pandera model; documents the columns and blocks values that break it.
        partition_by: the column that holds the partition key, which lets one run compute many partitions.
        asset_arguments: every argument of `dg.asset`.
    """

    @overload
    def __call__(self, function: Callable[..., Any], /) -> dg.AssetsDefinition: ...

    @overload
    def __call__(
        self, /, *, schema: Any = None, partition_by: str | None = None, **asset_arguments: Any
    ) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]: ...


def _decorator(layer: Layer) -> LayerDecorator:
    def decorate(
        function: Callable[..., Any] | None = None,
        /,
        *,
        schema: Any = None,
        partition_by: str | None = None,
        **asset_arguments: Any,
    ) -> Any:
        if function is None:
            return functools.partial(decorate, schema=schema, partition_by=partition_by, **asset_arguments)
        return _declare(layer, function, schema, partition_by, asset_arguments)

    decorate.__name__ = layer
    return decorate


fact = _decorator("fact")
feature = _decorator("feature")
model = _decorator("model")
prediction = _decorator("prediction")


def _declare(
    layer: Layer, function: Callable[..., Any], schema: Any, partition_by: str | None, given: Mapping[str, Any]
) -> dg.AssetsDefinition:
    arguments = dict(given)
    if partition_by is not None and arguments.get("partitions_def") is None:
        raise DefinitionError(f"{function.__qualname__}: partition_by='{partition_by}' needs a partitions_def.")
    prefix = _prefix(function, arguments)
    key = _key(function, prefix, arguments)
    arguments["ins"] = _inputs(function, prefix, arguments)
    arguments["tags"] = {LAYER_TAG: layer, **(arguments.get("tags") or {})}
    arguments["metadata"] = _metadata(schema, partition_by) | dict(arguments.get("metadata") or {})
    arguments.setdefault("group_name", PLURAL[layer])
    arguments.setdefault("kinds", {layer, *_engine(function)})
    if layer != "fact":  # a fact has nothing to be rebuilt from; sensors and schedules bring it
        arguments.setdefault("automation_condition", REBUILD_ON_CHANGE)
    arguments.setdefault("code_version", code_fingerprint(function, function.__module__.rpartition(".")[0]))
    if schema is not None:
        arguments["check_specs"] = [schema_spec(key), *(arguments.get("check_specs") or [])]
        function = _guarded(function, key, schema)
    elif not _yields_or_awaits(function):
        function = _in_sentences(function)
    asset: dg.AssetsDefinition = dg.asset(**arguments)(function)
    return asset


def _prefix(function: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str]:
    """The location's name, which begins every key of it: the folder that the function's module lies in."""
    given = arguments.get("key_prefix")
    if given is not None:
        return [given] if isinstance(given, str) else list(given)
    package, _, rest = function.__module__.partition(".")
    return [rest.split(".")[0]] if package == "code_locations" and rest else []


def _key(function: Callable[..., Any], prefix: list[str], arguments: dict[str, Any]) -> dg.AssetKey:
    if arguments.get("key") is not None:
        return dg.AssetKey.from_coercible(arguments["key"])
    arguments["key_prefix"] = prefix or None
    return dg.AssetKey([*prefix, arguments.get("name") or function.__name__])


def _inputs(function: Callable[..., Any], prefix: list[str], arguments: Mapping[str, Any]) -> dict[str, dg.AssetIn]:
    """An `AssetIn` for every parameter that names an asset: one of the same location, unless `ins` says otherwise."""
    ins = {name: dg.AssetIn.from_coercible(given) for name, given in (arguments.get("ins") or {}).items()}
    deps = [dep for dep in arguments.get("deps") or () if isinstance(dep, str)]
    not_assets = {*CONTEXT_NAMES, "config", *(arguments.get("required_resource_keys") or ()), *deps}
    hints = _hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if name in not_assets or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        declared = ins.get(name, dg.AssetIn())
        if declared.key is None and not _is_resource(hints.get(name)):
            key = dg.AssetKey([*(declared.key_prefix or prefix), name])
            ins[name] = declared._replace(key=key, key_prefix=None)
    return ins


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise DefinitionError(f"{function.__qualname__}: the annotation {error.name!r} is not a known name.") from error


def _is_resource(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, dg.ConfigurableResource | dg.Config):
        return True
    return "resource_param" in getattr(annotation, "__metadata__", ())


def _metadata(schema: Any, partition_by: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if schema is not None:
        metadata = {"dagster/column_schema": table_schema(schema)} | (
            {ROW_KEY: key} if (key := row_key(schema)) else {}
        )
    return metadata if partition_by is None else metadata | {PARTITION_BY: partition_by}


def _engine(function: Callable[..., Any]) -> list[str]:
    """The library of the returned type, which the UI shows with its icon."""
    module = getattr(_hints(function).get("return"), "__module__", "").split(".")[0]
    return (
        [{"sklearn": "scikitlearn"}.get(module, module)] if module in ("polars", "pandas", "pyarrow", "sklearn") else []
    )


def _yields_or_awaits(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function)


def _in_sentences(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def spoken(*args: Any, **kwargs: Any) -> Any:
        with sentences():
            return function(*args, **kwargs)

    return spoken


def _guarded(function: Callable[..., Any], key: dg.AssetKey, schema: Any) -> Callable[..., Any]:
    """The function with its value checked before it is written: one that breaks the schema never becomes a version."""
    if _yields_or_awaits(function):
        raise DefinitionError(
            f"{key.to_user_string()}: a function with a schema must return its table, not yield or await it."
        )

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with sentences():
            returned = function(*args, **kwargs)
            value, result = check_schema(key, _value(returned), schema)
        if not result.passed:
            yield result
            raise dg.Failure(_broken(key, result), allow_retries=False)
        yield _with_value(returned, value)
        yield result

    return guarded


def _value(returned: Any) -> Any:
    if isinstance(returned, dg.MaterializeResult) and returned.value is dg.MaterializeResult().value:
        return None  # what that default stands for
    return returned.value if isinstance(returned, dg.Output | dg.MaterializeResult) else returned


def _with_value(returned: Any, value: Any) -> dg.Output[Any] | dg.MaterializeResult[Any]:
    """The value with all that the function said besides."""
    if not isinstance(returned, dg.Output | dg.MaterializeResult):
        return dg.Output(value)
    if isinstance(returned, dg.Output):
        return dg.Output(value, metadata=returned.metadata, data_version=returned.data_version, tags=returned.tags)
    return dg.MaterializeResult(
        asset_key=returned.asset_key,
        metadata=returned.metadata,
        check_results=returned.check_results,
        data_version=returned.data_version,
        tags=returned.tags,
        value=value,
    )


def _broken(key: dg.AssetKey, result: dg.AssetCheckResult) -> str:
    return (
        f"{key.to_user_string()} breaks its schema: {result.description}."
        " Nothing was written. Mend the input, or change the schema if the new shape is right."
    )
