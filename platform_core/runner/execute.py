"""Executes a plan and tells of every step."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import dagster as dg

from platform_core.catalog.catalog import open_catalog
from platform_core.dagster_internals import location_origin, partition_tags, stream_run
from platform_core.locations import find_location
from platform_core.runner.errors import explain
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.plan import PlannedRun, make_plan
from platform_core.settings import current_settings


class Messages(Protocol):
    def send(self, kind: str, **content: Any) -> None: ...


def run(location: LoadedLocation, selection: str, partition: str, messages: Messages) -> int:
    """Plans and runs a selection. Returns 1 when anything failed; batches after the failed one are not started."""
    plan = make_plan(location, selection, partition, _existing)
    messages.send("planned", runs=[_as_text(planned) for planned in plan.runs], notes=list(plan.notes))
    broken: int | None = None
    with dg.DagsterInstance.get() as instance:
        for number, planned in enumerate(plan.runs):
            if broken is not None and planned.batch > broken:
                messages.send("not_started", run=number)
            elif not _run_one(location, planned, number, instance, messages):
                broken = planned.batch
    return 0 if broken is None else 1


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
    origin = location_origin(location.module, location.name, find_location(location.name).interpreter)
    steps = _StepNames(location)
    events = stream_run(location.job, instance, planned.assets, partition_tags(planned.partitions), origin)
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
    """The assets that a step computes: several for a dbt step."""

    def __init__(self, location: LoadedLocation) -> None:
        self._layer = location.job.asset_layer

    def __call__(self, event: dg.DagsterEvent) -> list[str]:
        keys = self._layer.get_selected_entity_keys_for_node(event.node_handle) if event.node_handle else ()
        return sorted({key.to_user_string() for key in keys if isinstance(key, dg.AssetKey)})


def _content(event: dg.DagsterEvent, steps: _StepNames) -> Iterator[dict[str, Any]]:
    """What the command line is told of an event: nothing of most."""
    kind = event.event_type
    if kind == dg.DagsterEventType.STEP_START:
        yield {"kind": "step_started", "step": event.step_key, "assets": steps(event)}
    elif kind == dg.DagsterEventType.STEP_SUCCESS:
        yield {"kind": "step_ended", "step": event.step_key, "seconds": event.step_success_data.duration_ms / 1000}
    elif kind == dg.DagsterEventType.STEP_FAILURE:
        data = event.step_failure_data
        sentence = explain(data.error, data.user_failure_data.description if data.user_failure_data else None)
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
        yield {"kind": "run_failed", "sentence": explain(event.job_failure_data.error, event.message)}


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
