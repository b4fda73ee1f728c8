"""What each mutation of Dagster's schema needs: a permission, in the locations that its arguments reach.

Dagster asks for permissions itself, in most mutations and in most ways to call them. This table asks first, in all: a
mutation that it does not name is refused, so that a later Dagster cannot bring one that nobody thought of.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_core.access.stamps import Stamp, stamped_backfill, stamped_execution, stamped_reexecution
from platform_core.orchestrator.places import places_of_assets, places_of_backfill, places_of_instigator, places_of_run

if TYPE_CHECKING:
    from platform_core.dagster_internals import BaseWorkspaceRequestContext

Arguments = Mapping[str, Any]
Place = str | None  # a location; None: the deployment as a whole
Reach = Callable[["BaseWorkspaceRequestContext", Arguments], Iterable[Place]]


@dataclass(frozen=True, slots=True)
class Guard:
    """What a mutation needs.

    Args:
        stamps: by argument how it is told who launches.
        stamps_backfill: whether it makes a backfill out of another one, tags and all.
    """

    permission: str
    reach: Reach
    stamps: Mapping[str, Stamp] | None = None
    stamps_backfill: bool = False


def _whole(_context: Any, _arguments: Arguments) -> list[Place]:
    return [None]


def _named(argument: str) -> Reach:
    return lambda _, arguments: [arguments[argument]]


def _selected(argument: str) -> Reach:
    return lambda _, arguments: [arguments[argument]["repositoryLocationName"]]


def _execution(context: "BaseWorkspaceRequestContext", parameters: Arguments) -> list[Place]:
    """The location whose job it is, and those of the assets: an asset's job may be asked for by any location."""
    selector = parameters["selector"]
    keys = [_key(key) for key in selector.get("assetSelection") or ()]
    return [selector["repositoryLocationName"], *places_of_assets(context, keys)]


def _one_execution(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    return _execution(context, arguments["executionParams"])


def _executions(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    return [place for one in arguments["executionParamsList"] for place in _execution(context, one)]


def _reexecution(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    direct, again = arguments.get("executionParams"), arguments.get("reexecutionParams")
    found: list[Place] = _execution(context, direct) if direct else []
    return found + (_runs(context, [again["parentRunId"]]) if again else []) or [None]


def _run(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    return _runs(context, [arguments["runId"]])


def _runs(context: "BaseWorkspaceRequestContext", identities: Iterable[str]) -> list[Place]:
    """The locations of runs; one that does not exist tells nobody so who may not change everything."""
    found = [context.instance.get_run_by_id(identity) for identity in identities]
    return [place for run in found for place in (places_of_run(run) if run else [None])]


def _new_backfill(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    parameters = arguments["backfillParams"]
    chosen = [*(parameters.get("assetSelection") or ())]
    chosen += [one["assetKey"] for one in parameters.get("partitionsByAssets") or ()]
    places = places_of_assets(context, [_key(key) for key in chosen])
    if selector := parameters.get("selector"):
        places.append(selector["repositorySelector"]["repositoryLocationName"])
    return places or [None]


def _backfill(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    return places_of_backfill(context, arguments["backfillId"])


def _backfill_again(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    again = arguments.get("reexecutionParams")
    return places_of_backfill(context, again["parentRunId"]) if again else [None]


def _schedule(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    ids = [arguments.get(name) for name in ("id", "schedule_origin_id", "schedule_selector_id")]
    return places_of_instigator(context, "schedules", *ids)


def _sensor(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    ids = [arguments.get(name) for name in ("id", "job_origin_id", "job_selector_id")]
    return places_of_instigator(context, "sensors", *ids)


def _wiped(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    keys = [_key(one["assetKey"]) for one in arguments.get("assetPartitionRanges") or ()]
    return places_of_assets(context, keys) or [None]


def _reported(context: "BaseWorkspaceRequestContext", arguments: Arguments) -> list[Place]:
    return places_of_assets(context, [_key(arguments["eventParams"]["assetKey"])])


def _key(sent: Mapping[str, Any]) -> dg.AssetKey:
    return dg.AssetKey(sent["path"])


_EXECUTION = {"executionParams": stamped_execution}
_AGAIN = {"executionParams": stamped_execution, "reexecutionParams": stamped_reexecution}
_LAUNCH = Guard("launch_pipeline_execution", _one_execution, _EXECUTION)
_RELAUNCH = Guard("launch_pipeline_reexecution", _reexecution, _AGAIN)
_TERMINATE = Guard("terminate_pipeline_execution", _run)
_DELETE = Guard("delete_pipeline_run", _run)
_POOLS = Guard("edit_concurrency_limit", _whole)
_INSTANCE = Guard("reload_workspace", _whole)  # concerns the deployment, and Dagster asks for no permission

GUARDS: Mapping[str, Guard] = {
    "launchPipelineExecution": _LAUNCH,
    "launchRun": _LAUNCH,
    "launchMultipleRuns": Guard(
        "launch_pipeline_execution",
        _executions,
        {"executionParamsList": lambda sent, tags: [stamped_execution(one, tags) for one in sent]},  # type: ignore[dict-item, return-value]
    ),
    "launchPipelineReexecution": _RELAUNCH,
    "launchRunReexecution": _RELAUNCH,
    "terminatePipelineExecution": _TERMINATE,
    "terminateRun": _TERMINATE,
    "terminateRuns": Guard("terminate_pipeline_execution", lambda context, sent: _runs(context, sent["runIds"])),
    "deletePipelineRun": _DELETE,
    "deleteRun": _DELETE,
    "launchPartitionBackfill": Guard("launch_partition_backfill", _new_backfill, {"backfillParams": stamped_backfill}),
    "resumePartitionBackfill": Guard("launch_partition_backfill", _backfill),
    "reexecutePartitionBackfill": Guard("launch_partition_backfill", _backfill_again, stamps_backfill=True),
    "cancelPartitionBackfill": Guard("cancel_partition_backfill", _backfill),
    "startSchedule": Guard("start_schedule", _selected("schedule_selector")),
    "resetSchedule": Guard("start_schedule", _selected("schedule_selector")),
    "stopRunningSchedule": Guard("stop_running_schedule", _schedule),
    "scheduleDryRun": Guard("schedule_dry_run", _selected("selector_data")),
    "startSensor": Guard("edit_sensor", _selected("sensor_selector")),
    "resetSensor": Guard("edit_sensor", _selected("sensor_selector")),
    "stopSensor": Guard("edit_sensor", _sensor),
    "setSensorCursor": Guard("update_sensor_cursor", _selected("sensor_selector")),
    "sensorDryRun": Guard("sensor_dry_run", _selected("selector_data")),
    "reloadRepositoryLocation": Guard("reload_repository_location", _named("repositoryLocationName")),
    "shutdownRepositoryLocation": Guard("reload_repository_location", _named("repositoryLocationName")),
    "reloadWorkspace": Guard("reload_workspace", _whole),
    "wipeAssets": Guard("wipe_assets", _wiped),
    "reportRunlessAssetEvents": Guard("report_runless_asset_events", _reported),
    "reportAssetCheckEvaluations": Guard("report_runless_asset_events", _reported),
    "addDynamicPartition": Guard("edit_dynamic_partitions", _selected("repositorySelector")),
    "deleteDynamicPartitions": Guard("edit_dynamic_partitions", _selected("repositorySelector")),
    "setAppManagedComponent": Guard("edit_app_managed_components", _named("locationName")),
    "deleteAppManagedComponent": Guard("edit_app_managed_components", _named("locationName")),
    "refreshComponentState": Guard("refresh_component_state", _named("locationName")),
    "setAutoMaterializePaused": Guard("toggle_auto_materialize", _whole),
    "setConcurrencyLimit": _POOLS,
    "deleteConcurrencyLimit": _POOLS,
    "freeConcurrencySlots": _POOLS,
    "freeConcurrencySlotsForRun": _POOLS,
    "logTelemetry": _INSTANCE,
    "setNuxSeen": _INSTANCE,
}
