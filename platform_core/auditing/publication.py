"""Which checks a value must pass to be published, wherever they are written."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_type_hints

import dagster as dg
import pyarrow as pa

from platform_core.auditing.functions import function_of
from platform_core.auditing.guard import GUARD
from platform_core.auditing.team_checks import TeamCheck
from platform_core.compute.spec import COMPUTE_TAG
from platform_core.errors import DefinitionError, listed

# On the function of an asset that can be declared again: takes more audits, gives the asset with them.
WITH_AUDITS = "__headrace_with_audits__"
# On the function of assets that hold back by themselves what fails their checks: what to write instead.
HOLDS_BACK = "__headrace_holds_back__"
DECLARE = "declare the asset with @fact, @feature, @model or @prediction"


def audited(
    assets: Sequence[Any], checks: Iterable[dg.AssetChecksDefinition], resources: Mapping[str, Any]
) -> tuple[list[Any], list[dg.AssetChecksDefinition]]:
    """Assets whose own steps make the blocking checks that are written beside them, and the other checks.

    As a step of its own a check comes after its asset was published. A blocking one becomes a check of the asset's
    step instead, under its name and in its place in the UI.

    Raises:
        DefinitionError: a blocking check cannot be made before its asset is published.
    """
    known = {key: asset for asset in assets if _is_computed(asset) for key in asset.keys}
    taken: dict[dg.AssetKey, list[TeamCheck]] = defaultdict(list)
    left = []
    for check in checks:
        if blocking := next((spec for spec in check.check_specs if spec.blocking), None):
            taken[blocking.asset_key].append(_taken(blocking, check, known.get(blocking.asset_key), resources))
        else:
            left.append(check)
    for key, found in taken.items():
        known[key] = function_of(known[key]).__dict__[WITH_AUDITS](found)
    again = [known[asset.key] if _is_computed(asset) and len(asset.keys) == 1 else asset for asset in assets]
    for asset in known.values():
        _require_guard(asset)
    return again, left


def require_audited(definitions: dg.Definitions) -> None:
    """Refuses blocking checks that were added to what `build_location` made.

    Raises:
        DefinitionError: one of them is a step of its own.
    """
    for check in definitions.asset_checks or ():
        for spec in check.check_specs:
            if spec.blocking:
                raise DefinitionError(
                    f"The blocking check {spec.name} of {spec.asset_key.to_user_string()} would come after the"
                    " publication: write it in a module that is given to build_location(modules=[...])."
                )


def _is_computed(asset: Any) -> bool:
    return isinstance(asset, dg.AssetsDefinition) and asset.is_executable


def _require_guard(asset: dg.AssetsDefinition) -> None:
    """Refuses blocking checks of assets that would be published whatever they find."""
    function = function_of(asset)
    holds = function is not None and {GUARD, HOLDS_BACK} & function.__dict__.keys()
    if not holds and (blocking := [spec for spec in asset.check_specs if spec.blocking]):
        name = blocking[0].asset_key.to_user_string()
        raise DefinitionError(
            f"{name} has the blocking check {blocking[0].name}, but would be published whatever it finds: {DECLARE}."
        )


def _taken(
    spec: dg.AssetCheckSpec,
    check: dg.AssetChecksDefinition,
    asset: dg.AssetsDefinition | None,
    resources: Mapping[str, Any],
) -> TeamCheck:
    name = spec.asset_key.to_user_string()
    reason = next(_obstacles(check, asset, resources), None) if asset else "this location does not compute it"
    if asset is None or reason:
        raise DefinitionError(
            f"The blocking check {spec.name} of {name} cannot be made before {name} is published: {reason};"
            " or say blocking=False, and it warns after the publication."
        )
    parameters = inspect.signature(function_of(check)).parameters
    reads = {name: key for name, key in check.keys_by_input_name.items() if name in parameters}
    own = {key: name for name, key in asset.keys_by_input_name.items()}
    return TeamCheck(
        spec,
        function_of(check),
        next(name for name, key in reads.items() if key == spec.asset_key),
        {name: own[key] for name, key in reads.items() if key != spec.asset_key},
        {name: resources[name] for name in check.required_resource_keys & parameters.keys()},
    )


def _obstacles(
    check: dg.AssetChecksDefinition, asset: dg.AssetsDefinition, resources: Mapping[str, Any]
) -> Iterator[str]:
    """Why a check cannot be made in the step of its asset, each with what to do about it."""
    function, makes = function_of(check), function_of(asset)
    if makes is None or WITH_AUDITS not in makes.__dict__:
        yield getattr(makes, HOLDS_BACK, f"{DECLARE}, as a function that returns its value")
        return
    if function is None or len(list(check.check_specs)) > 1:
        yield "it is not one function for one check; write each as a @dg.asset_check of its own"
        return
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        yield "it yields or awaits; return its dg.AssetCheckResult"
    yield from _strange_inputs(check, asset)
    yield from _own_needs(check, resources)


def _strange_inputs(check: dg.AssetChecksDefinition, asset: dg.AssetsDefinition) -> Iterator[str]:
    parameters = inspect.signature(function_of(check)).parameters
    if asset.key not in {key for name, key in check.keys_by_input_name.items() if name in parameters}:
        yield "it does not take the value; let a parameter name the asset"
    kinds = get_type_hints(function_of(asset))
    own = {key: name for name, key in asset.keys_by_input_name.items()}
    for name, key in check.keys_by_input_name.items():
        if key == asset.key:
            continue
        if key not in own or (name in parameters and own[key] not in inspect.signature(function_of(asset)).parameters):
            yield f"it reads {key.to_user_string()}, which the asset does not; make that a parameter of the asset too"
        elif name in parameters and kinds.get(own[key]) is pa.RecordBatchReader:
            yield f"{key.to_user_string()} is a stream to the asset, and can be read once only; take a pl.LazyFrame"


def _own_needs(check: dg.AssetChecksDefinition, resources: Mapping[str, Any]) -> Iterator[str]:
    step = check.op
    asked = set(step.required_resource_keys)
    parameters = inspect.signature(function_of(check)).parameters
    has = {
        "a config": getattr(step.config_schema.config_type, "given_name", None) != "Any",
        "a compute": COMPUTE_TAG in step.tags,
        "a retry policy": step.retry_policy is not None,
        "a pool": step.pool is not None,
        "resources": bool(check.resource_defs.keys() - {"io_manager"}),
    }
    if said := [what for what, there in has.items() if there]:
        yield f"it has {listed(said)} of its own; say that of the asset"
    if hidden := sorted(asked - parameters.keys()):
        yield f"it takes {listed(hidden)} from its context; make that a parameter"
    if missing := sorted(asked - resources.keys()):
        yield f"the location has no resource {listed(missing)}"
