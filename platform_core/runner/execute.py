"""Executes a plan and tells of every step."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import dagster as dg

from platform_core.branches.read_through import tell_of_production
from platform_core.catalog.opening import open_catalog
from platform_core.compute.held_event_log import held_open
from platform_core.compute.run_worker import this_command
from platform_core.errors import NotFoundError
from platform_core.explanation import explain, explain_failure
from platform_core.locations import find_location
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.runs import LocationOrigin, stream_run
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.plan import PlannedRun, make_plan, select
from platform_core.settings import current_settings


class Messages(Protocol):
    def send(self, kind: str, **content: Any) -> None: ...


def run(
    location: LoadedLocation,
    selection: str,
    partition: str,
    messages: Messages,
    *,
    alone: bool = True,
    wanted: Mapping[str, Sequence[str]] | None = None,
) -> int:
    """Plans and runs a selection. Returns 1 when anything failed; batches after the failed one are not started.

    Args:
        alone: whether nobody else was asked; else what this location does not have may well be another one's.
        wanted: by asset the very partitions to compute.
    """
    try:
        plan = make_plan(location, selection, _known(location, selection, partition, alone), _existing, wanted)
    except NotFoundError as error:
        if alone:
            raise
        messages.send("elsewhere", sentence=str(error))
        return 0
    messages.send("planned", runs=[_as_text(planned) for planned in plan.runs], notes=list(plan.notes))
    broken: int | None = None
    settings = current_settings()
    with dg.DagsterInstance.get() as instance:
        if settings.writes_to.parent is not None:
            tell_of_production(instance, open_catalog(settings.catalog), settings.writes_to)
        for number, planned in enumerate(plan.runs):
            if broken is not None and planned.batch > broken:
                messages.send("not_started", run=number)
            elif not _run_one(location, planned, number, instance, messages):
                broken = planned.batch
    return 0 if broken is None else 1


def _known(location: LoadedLocation, selection: str, partition: str, alone: bool) -> str:
    """The partition that was asked for; nothing where that was meant for other locations, as none here has such ones.

    A month is the same month in each location. Names are a location's own, so that where everything was asked for and
    all partitions here have names, another one's are not missed.
    """
    definitions = [location.graph.get(key).partitions_def for key in select(location, selection)]
    partitioned = [definition for definition in definitions if definition]
    if alone or not partitioned:
        return partition if alone else ""
    by_time = any(isinstance(definition, dg.TimeWindowPartitionsDefinition) for definition in partitioned)
    return partition if by_time or selection or _is_here(partition, partitioned) else ""


def _is_here(partition: str, definitions: Iterable[dg.PartitionsDefinition]) -> bool:
    names = {key for definition in definitions for key in definition.get_partition_keys()}
    return partition in ("all", "latest") or names.issuperset(partition.split(".."))


def _existing(asset: dg.AssetKey) -> Iterable[str]:
    settings = current_settings()
    return open_catalog(settings.catalog).resolve(settings.writes_to, asset.to_user_string())


def _as_text(planned: PlannedRun) -> dict[str, Any]:
    return {"assets": [key.to_user_string() for key in planned.assets], "partitions": list(planned.partitions)}


def _run_one(
    location: LoadedLocation, planned: PlannedRun, number: int, instance: dg.DagsterInstance, messages: Messages
) -> bool:
    messages.send("run_started", run=number)
    started = time.perf_counter()
    ok = True
    for content in _told(location, planned, instance):
        ok = ok and content["kind"] not in ("step_failed", "run_failed")
        messages.send(content.pop("kind"), run=number, **content)
    messages.send("run_ended", run=number, ok=ok, seconds=time.perf_counter() - started)
    return ok


def _told(location: LoadedLocation, planned: PlannedRun, instance: dg.DagsterInstance) -> Iterator[dict[str, Any]]:
    executable = find_location(location.name).interpreter
    origin = LocationOrigin(location.name, location.module, location.attribute, executable)
    steps = _StepNames(location, planned.assets)
    tags = partition_tags(planned.partitions) | this_command().tags
    events = stream_run(location.job, instance, planned.assets, tags, origin, hold=held_open)
    reached: set[str] = set()
    for event in events:
        for content in _content(event, steps):
            reached.update(content.get("assets", ()))
            yield content
    # Dagster has no event for a step that it did not start because what it reads failed.
    left = [name for name in _as_text(planned)["assets"] if name not in reached]
    if reached and left:
        yield {"kind": "step_skipped", "step": "", "assets": left}


class _StepNames:
    """The assets that a step computes in a run of some assets: several for a dbt step."""

    def __init__(self, location: LoadedLocation, asked: Iterable[dg.AssetKey]) -> None:
        self._layer, self._asked = location.job.asset_layer, frozenset(asked)

    def __call__(self, event: dg.DagsterEvent) -> list[str]:
        keys = self._layer.get_selected_entity_keys_for_node(event.node_handle) if event.node_handle else ()
        return sorted(key.to_user_string() for key in self._asked.intersection(keys))


def _content(event: dg.DagsterEvent, steps: _StepNames) -> Iterator[dict[str, Any]]:
    """What the command line is told of an event: nothing of most."""
    kind = event.event_type
    if kind == dg.DagsterEventType.STEP_START:
        yield {"kind": "step_started", "step": event.step_key, "assets": steps(event)}
    elif kind == dg.DagsterEventType.STEP_SUCCESS:
        yield {"kind": "step_ended", "step": event.step_key, "seconds": event.step_success_data.duration_ms / 1000}
    elif kind == dg.DagsterEventType.STEP_FAILURE:
        sentence = explain_failure(event.step_failure_data)
        yield {"kind": "step_failed", "step": event.step_key, "assets": steps(event), "sentence": sentence}
    elif kind == dg.DagsterEventType.STEP_SKIPPED:
        yield {"kind": "step_skipped", "step": event.step_key, "assets": steps(event)}
    elif kind == dg.DagsterEventType.ASSET_MATERIALIZATION:
        yield _materialized(event)
    elif kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        yield _checked(event)
    elif (
        kind == dg.DagsterEventType.RUN_FAILURE
        and event.job_failure_data
        and not event.job_failure_data.first_step_failure_event
    ):
        error = event.job_failure_data.error  # Dagster's own message says no more than that there was one
        yield {"kind": "run_failed", "sentence": explain(error, None if error else event.message)}


def _materialized(event: dg.DagsterEvent) -> dict[str, Any]:
    materialization = event.step_materialization_data.materialization
    return {
        "kind": "materialized",
        "asset": materialization.asset_key.to_user_string(),
        "partition": materialization.partition or "",
        "transaction": getattr(materialization.metadata.get("headrace/transaction"), "value", None),
    }


def _checked(event: dg.DagsterEvent) -> dict[str, Any]:
    evaluation = event.asset_check_evaluation_data
    return {
        "kind": "checked",
        "asset": evaluation.asset_key.to_user_string(),
        "check": evaluation.check_name,
        "passed": evaluation.passed,
        "severity": evaluation.severity.value,
        "description": evaluation.description or _failed_rows(evaluation.metadata),
    }


def _failed_rows(metadata: Mapping[str, Any]) -> str:
    """dbt tests have no description; they count the rows that failed."""
    rows = metadata.get("dagster_dbt/failed_row_count")
    return f"{rows.value} rows" if rows is not None else ""
