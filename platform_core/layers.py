"""The decorators `@fact`, `@feature`, `@model` and `@prediction`: thin over `dg.asset`, all of whose arguments work."""

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, get_type_hints, overload

import dagster as dg

from platform_core.auditing.guard import Guard, guard_of
from platform_core.auditing.logged import called_plainly, logging_generator
from platform_core.auditing.publication import WITH_AUDITS
from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.checks.audits.audit import Audit
from platform_core.checks.replay import EventTime
from platform_core.checks.rule_fingerprint import rule_fingerprint
from platform_core.compute.declaration import (
    ONE_PARTITION_AT_A_TIME,
    computed_spec,
    op_arguments,
    telling_computed,
)
from platform_core.compute.spec import Compute
from platform_core.errors import DefinitionError
from platform_core.fingerprints import CELLS, code_fingerprint
from platform_core.io_manager import PARTITION_BY, sentences
from platform_core.layering import LAYER_TAG, LAYERS, MAY_READ, Layer

CONTEXT_NAMES = frozenset({"context", "_context", "context_", "_"})  # Dagster takes any of them

PLURAL: Mapping[Layer, str] = {layer: f"{layer}s" for layer in LAYERS}


__all__ = ["LAYERS", "LAYER_TAG", "MAY_READ", "Layer", "fact", "feature", "model", "prediction"]


class LayerDecorator(Protocol):
    """Declares an asset of a layer: a function whose parameters name what it reads, and whose value is kept.

    Args:
        schema: a pandera model or an Arrow schema; documents the columns, and values that break it are not published.
        checks: more checks of the value, such as `volume()`, `drift()` or `gate(...)`.
        event_time: the moment as of which each row of a feature is known: checks for what came later, and for skew.
        quarantine: rows that break the schema go to the asset `<name>_quarantine` and the others flow on; a number is
            the largest share of rows for which that is done.
        partition_by: the column that holds the partition key, which lets one run compute many partitions.
        compute: what a step needs, and where it runs; it holds however the run was launched.
        asset_arguments: every argument of `dg.asset`.
    """

    @overload
    def __call__(self, function: Callable[..., Any], /) -> dg.AssetsDefinition: ...

    @overload
    def __call__(
        self,
        /,
        *,
        schema: Any = None,
        checks: Sequence[Audit] = (),
        event_time: EventTime | str | None = None,
        quarantine: bool | float = False,
        partition_by: str | None = None,
        compute: Compute | None = None,
        **asset_arguments: Any,
    ) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]: ...


def _decorator(layer: Layer) -> LayerDecorator:
    def decorate(
        function: Callable[..., Any] | None = None,
        /,
        *,
        schema: Any = None,
        checks: Sequence[Audit] = (),
        event_time: EventTime | str | None = None,
        quarantine: bool | float = False,
        partition_by: str | None = None,
        compute: Compute | None = None,
        **asset_arguments: Any,
    ) -> Any:
        guarding: Any = {"schema": schema, "checks": checks, "event_time": event_time, "quarantine": quarantine}
        said: Any = {"partition_by": partition_by, "compute": compute}
        if function is None:
            return functools.partial(decorate, **guarding, **said, **asset_arguments)
        return _declare(layer, function, asset_arguments, guarding, **said)

    decorate.__name__ = layer
    return decorate


fact = _decorator("fact")
feature = _decorator("feature")
model = _decorator("model")
prediction = _decorator("prediction")


def _declare(
    layer: Layer,
    function: Callable[..., Any],
    given: Mapping[str, Any],
    guarding: Mapping[str, Any],
    *,
    partition_by: str | None,
    compute: Compute | None,
) -> dg.AssetsDefinition:
    as_given = function

    def with_audits(more: Sequence[Audit]) -> dg.AssetsDefinition:
        checked = {**guarding, "checks": [*guarding["checks"], *more]}
        return _declare(layer, as_given, given, checked, partition_by=partition_by, compute=compute)

    arguments = {**given, **op_arguments(compute, given, function.__qualname__)}
    if partition_by is not None and arguments.get("partitions_def") is None:
        raise DefinitionError(f"{function.__qualname__}: partition_by='{partition_by}' needs a partitions_def.")
    prefix = _prefix(function, arguments)
    key = _key(function, prefix, arguments)
    arguments["ins"] = _inputs(function, prefix, arguments)
    arguments["tags"] = {LAYER_TAG: layer, **(arguments.get("tags") or {})}
    guard = guard_of(key, partition_by=partition_by, own=arguments.get("check_specs") or (), **guarding)
    guard = replace(guard, keeps_checks=layer == "model")
    arguments["metadata"] = _metadata(guard, partition_by) | dict(arguments.get("metadata") or {})
    _say_how_partitions_run(arguments, partition_by)
    arguments.setdefault("group_name", PLURAL[layer])
    arguments.setdefault("kinds", {layer, *_engine(function)})
    if layer != "fact":  # a fact has nothing to be rebuilt from; sensors and schedules bring it
        arguments.setdefault("automation_condition", REBUILD_ON_CHANGE)
    arguments.setdefault("code_version", _code_version(function, guard))
    if guard.guards:
        arguments["check_specs"] = [*guard.specs(key), *(arguments.get("check_specs") or [])]
        function = _guarded(function, guard, key, list(arguments["ins"]))
    elif inspect.isgeneratorfunction(function):
        function = logging_generator(function)
    elif not _yields_or_awaits(function):
        function = _in_sentences(function)
    if compute is not None and compute.on_failure == "skip":
        arguments["check_specs"] = [*(arguments.get("check_specs") or []), computed_spec(key)]
        function = telling_computed(function, key)
    if not _yields_or_awaits(as_given):
        function.__dict__[WITH_AUDITS] = with_audits
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # for backfill_policy
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


def _code_version(function: Callable[..., Any], guard: Guard) -> str:
    """What changes with the code, and behind a point with the rules that its values have to keep."""
    package = function.__module__.rpartition(".")[0]
    code = code_fingerprint(function, package)
    return code if guard.schema is None else f"{code}.{rule_fingerprint(guard.schema, package)}"


def _metadata(guard: Guard, partition_by: str | None) -> dict[str, Any]:
    return guard.metadata() if partition_by is None else guard.metadata() | {PARTITION_BY: partition_by}


def _say_how_partitions_run(arguments: dict[str, Any], partition_by: str | None) -> None:
    """One run computes any number of partitions: in one call where the value can be split, else in one call each."""
    if arguments.get("partitions_def") is None or arguments.get("backfill_policy") is not None:
        return
    arguments["backfill_policy"] = dg.BackfillPolicy.single_run()
    if partition_by is None:
        arguments["metadata"] = {**arguments["metadata"], ONE_PARTITION_AT_A_TIME: True}


def _engine(function: Callable[..., Any]) -> list[str]:
    """The library of the returned type, which the UI shows with its icon; of a notebook, that it is one."""
    if CELLS in function.__dict__:
        return ["jupyter"]
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
            return called_plainly(function, *args, **kwargs)

    return spoken


def _guarded(function: Callable[..., Any], guard: Guard, key: dg.AssetKey, inputs: Sequence[str]) -> Callable[..., Any]:
    if _yields_or_awaits(function):
        what = "a schema" if guard.schema else "checks"
        raise DefinitionError(
            f"{key.to_user_string()}: a function with {what} must return its table or model, not yield or await it."
        )
    return guard.around(function, key, inputs)
