"""Begins a sweep, or goes on with one: what is asked is looked at whole before the first trial starts."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.sweep_values import Sweep
from platform_core.compute.fan_out import AT_ONCE_TAG, SWEEP_TAG
from platform_core.compute.held_event_log import held_open
from platform_core.compute.quantities import as_seconds
from platform_core.compute.run_worker import this_command
from platform_core.compute.spec import BACKENDS, COMPUTE_TAG, compute_of
from platform_core.errors import ConflictError, NotFoundError, PartitionError, listed
from platform_core.explanation import explain_failure
from platform_core.locations import find_location
from platform_core.orchestrator.runs import LocationOrigin, stream_run
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.trying import key_of, partitions_of
from platform_core.settings import current_settings
from platform_core.trials.choosing import require_optuna
from platform_core.trials.job import SWEEP_JOB
from platform_core.trials.request import Request, choice, make_request, span
from platform_core.trials.subject import (
    config_values,
    declared,
    given_versions,
    require_function,
    require_parameters,
    typed,
)
from platform_core.trials.taking import warm_up

FEWEST = 2  # partitions that are too many


class Messages(Protocol):
    def send(self, kind: str, **content: Any) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """A sweep as a person asks for it, in texts.

    Args:
        resume: the id of a sweep to go on with, which says everything else but `parallel` and `backend`.
        grid, ints, floats: axes, as `depth=2,4`, `depth=2:8` and `rate=0.01:1:log`.
        parameters: what all trials have in common, by name.
    """

    asset: str = ""
    resume: str = ""
    partition: str = ""
    grid: Sequence[str] = ()
    ints: Sequence[str] = ()
    floats: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    sampler: Any = "grid"
    count: int | None = None
    seed: int = 0
    metric: str = ""
    maximize: bool = True
    stop: Any = ""
    timeout: str = ""
    parallel: int | None = None
    isolated: bool = False
    backend: str = ""


def sweep(location: LoadedLocation, wanted: Wanted, messages: Messages) -> int:
    """Tries what is left of the sweep. Returns 1 when the run failed; that trials failed is for the catalog to tell.

    Raises:
        HeadraceError: what is asked cannot be tried; nothing was started.
    """
    if wanted.backend and wanted.backend not in BACKENDS:
        raise NotFoundError(f"There is no backend '{wanted.backend}'; there are {listed(BACKENDS)}.")
    found = resumed(location, wanted) if wanted.resume else begun(location, wanted)
    ended = len(open_catalog(current_settings().catalog).ended_trials(found.id))
    messages.send("sweep_begun", sweep=found.id, count=found.request["count"], ended=ended)
    if ended == found.request["count"]:
        return 0
    executable = find_location(location.name).interpreter
    sentences = list(try_all(location, found, executable, wanted.backend))
    for sentence in sentences:
        messages.send("sweep_failed", sentence=sentence)
    return 1 if sentences else 0


def begun(location: LoadedLocation, wanted: Wanted) -> Sweep:
    """A new sweep, in the catalog."""
    key = key_of(location, wanted.asset)
    made = declared(location.definitions.assets or (), key)
    require_function(made, key)
    if len(partitions := partitions_of(location, key, wanted.partition)) >= FEWEST:
        raise PartitionError("A sweep is of one partition; name one with --partition.")
    request = _request(location, made, key, wanted)
    settings = current_settings()
    id = f"sweep-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    new = Sweep(id, settings.namespace, key.to_user_string(), "".join(partitions), request.to_plain())
    return open_catalog(settings.catalog).begin_sweep(settings.writes_to, new)


def _request(location: LoadedLocation, made: dg.AssetsDefinition, key: dg.AssetKey, wanted: Wanted) -> Request:
    axes = [*map(choice, wanted.grid), *(span("int", text) for text in wanted.ints)]
    axes += [span("float", text) for text in wanted.floats]
    more = {name: getattr(wanted, name) for name in ("seed", "metric", "maximize", "stop", "parallel", "isolated")}
    request = make_request(
        axes, wanted.sampler, wanted.count, **more,
        fixed=config_values(made, wanted.parameters) if wanted.parameters else {},
        inputs={name: f"{version.asset}@{version.id}" for name, version in given_versions(made, wanted.inputs).items()},
        timeout=as_seconds(wanted.timeout) if wanted.timeout else compute_of(made.op.tags).timeout_seconds,
        code_version=location.graph.get(key).code_version or "",
    )  # fmt: skip
    _require_values(made, key, request)
    if request.sampler != "grid" or request.stop:
        require_optuna()
    return request


def _require_values(made: dg.AssetsDefinition, key: dg.AssetKey, request: Request) -> None:
    """Every value of every axis is looked at, each beside the first ones of the others."""
    names = [*(axis.name for axis in request.axes), *request.fixed]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotFoundError(f"The parameter {twice[0]} cannot be the same in all trials and differ between them.")
    kind = require_parameters(made, names)
    firsts = {**request.fixed, **{axis.name: axis.some[0] for axis in request.axes}}
    for axis in request.axes:
        for value in axis.some:
            typed(key.to_user_string(), kind, {**firsts, axis.name: value})


def resumed(location: LoadedLocation, wanted: Wanted) -> Sweep:
    """A sweep that was begun before; its asset is still the same.

    Raises:
        ConflictError: its code changed, so that the trials that are left could not be compared with the others.
    """
    found = open_catalog(current_settings().catalog).sweep(wanted.resume)
    key = key_of(location, found.asset)
    if found.namespace != current_settings().namespace:
        raise NotFoundError(f"{found.id} is a sweep of {found.namespace}; start one of your own.")
    if (location.graph.get(key).code_version or "") != found.request["code_version"]:
        raise ConflictError(
            f"The code of {found.asset} changed since {found.id} began, so that its trials could not be compared;"
            " start a new sweep.",
            [found.asset],
        )
    if wanted.parallel is None:
        return found
    return replace(found, request={**found.request, "parallel": wanted.parallel})


def try_all(location: LoadedLocation, sweep: Sweep, executable: Path, backend: str = "") -> Iterator[str]:
    """Runs what is left, and tells what went wrong with the run.

    Args:
        executable: the interpreter of the location.
    """
    origin = LocationOrigin(location.name, location.module, location.attribute, executable)
    job = location.definitions.resolve_job_def(SWEEP_JOB)
    warm_up(sweep.asset)
    with dg.DagsterInstance.get() as instance:
        for event in stream_run(job, instance, (), _tags(location, sweep, backend), origin, hold=held_open):
            if event.event_type == dg.DagsterEventType.STEP_FAILURE:
                yield explain_failure(event.step_failure_data)
            elif event.event_type == dg.DagsterEventType.RUN_CANCELED:
                yield f"It was interrupted; `headrace sweep --resume {sweep.id}` goes on with it."


def _tags(location: LoadedLocation, sweep: Sweep, backend: str) -> dict[str, str]:
    """What a run of the sweep is told: each trial gets what the asset asks for, and minds its time itself."""
    key = dg.AssetKey.from_user_string(sweep.asset)
    asked = compute_of(declared(location.definitions.assets or (), key).op.tags)
    compute = replace(asked, timeout=None, retries=0, on_failure="fail")
    if backend:
        compute = replace(compute, backend=backend, profile=None)  # type: ignore[arg-type]
    told = {SWEEP_TAG: sweep.id, COMPUTE_TAG: compute.to_text(), "headrace/asset": sweep.asset}
    if at_once := sweep.request["parallel"]:  # of this run: one that goes on with a sweep may ask for another number
        told[AT_ONCE_TAG] = str(at_once)
    return told | this_command().tags
