"""Each mutation of Dagster's schema, called so that it would change something of the location flights."""

from dataclasses import dataclass
from typing import Any

from platform_core.dagster_internals import BulkActionStatus
from tests.platform_core.access.world import World

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "flights"}
JOB = {**REPOSITORY, "jobName": "nightly"}
SCHEDULE = {**REPOSITORY, "scheduleName": "each_night"}
SENSOR = {**REPOSITORY, "sensorName": "watch"}
ASSET = {"path": ["flights", "one"]}
MONTHLY = {"path": ["flights", "monthly"]}
RUN = {"selector": JOB, "mode": "default"}
COMPONENT = {"locationName": "flights", "componentId": "c"}

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Things:
    """What mutations change: a run, a backfill that goes on, one that has ended, and the ids of schedule and sensor."""

    run: str
    backfill: str
    ended: str
    schedule: str
    sensor: str


def arguments_of(things: Things) -> dict[str, Arguments]:
    """By name of a mutation what it is called with."""
    run, backfill = {"runId": things.run}, {"backfillId": things.backfill}
    partition = {"partitionsDefName": "flights_parts", "repositorySelector": REPOSITORY}
    again = {"parentRunId": things.run, "strategy": "ALL_STEPS"}
    report = {"eventType": "ASSET_MATERIALIZATION", "assetKey": ASSET}
    return {
        "launchRun": {"executionParams": RUN},
        "launchPipelineExecution": {"executionParams": RUN},
        "launchMultipleRuns": {"executionParamsList": [RUN, RUN]},
        "launchRunReexecution": {"reexecutionParams": again},
        "launchPipelineReexecution": {"reexecutionParams": again},
        "terminateRun": run,
        "terminatePipelineExecution": {**run, "terminatePolicy": "MARK_AS_CANCELED_IMMEDIATELY"},
        "terminateRuns": {"runIds": [things.run], "terminatePolicy": "MARK_AS_CANCELED_IMMEDIATELY"},
        "deleteRun": run,
        "deletePipelineRun": run,
        "launchPartitionBackfill": {"backfillParams": {"assetSelection": [MONTHLY], "partitionNames": ["jan"]}},
        "resumePartitionBackfill": backfill,
        "cancelPartitionBackfill": backfill,
        "reexecutePartitionBackfill": {"reexecutionParams": {"parentRunId": things.ended, "strategy": "ALL_STEPS"}},
        "startSchedule": {"scheduleSelector": SCHEDULE},
        "resetSchedule": {"scheduleSelector": SCHEDULE},
        "stopRunningSchedule": {"id": things.schedule},
        "scheduleDryRun": {"selectorData": SCHEDULE, "timestamp": 0.0},
        "startSensor": {"sensorSelector": SENSOR},
        "resetSensor": {"sensorSelector": SENSOR},
        "stopSensor": {"id": things.sensor},
        "setSensorCursor": {"sensorSelector": SENSOR, "cursor": "forged"},
        "sensorDryRun": {"selectorData": SENSOR},
        "reloadRepositoryLocation": {"repositoryLocationName": "flights"},
        "shutdownRepositoryLocation": {"repositoryLocationName": "flights"},
        "reloadWorkspace": {},
        "wipeAssets": {"assetPartitionRanges": [{"assetKey": ASSET}]},
        "reportRunlessAssetEvents": {"eventParams": report},
        "reportAssetCheckEvaluations": {"eventParams": {"assetKey": ASSET, "checkName": "fine", "passed": False}},
        "addDynamicPartition": {**partition, "partitionKey": "new"},
        "deleteDynamicPartitions": {**partition, "partitionKeys": ["old"], "wipeMaterializations": True},
        "setAppManagedComponent": {**COMPONENT, "componentType": "t", "attributes": "{}"},
        "deleteAppManagedComponent": COMPONENT,
        "refreshComponentState": {"locationName": "flights", "defsStateKey": "k"},
        "setAutoMaterializePaused": {"paused": True},
        "setConcurrencyLimit": {"concurrencyKey": "pool", "limit": 7},
        "deleteConcurrencyLimit": {"concurrencyKey": "held"},
        "freeConcurrencySlots": {"runId": things.run},
        "freeConcurrencySlotsForRun": {"runId": things.run},
        "logTelemetry": {"action": "a", "clientTime": "0", "clientId": "c", "metadata": "{}"},
        "setNuxSeen": {},
    }


def document(world_schema: Any, name: str) -> str:
    """A query that calls a mutation with variables, and asks for the type of what comes back."""
    field = world_schema.mutation_type.fields[name]
    wanted = field.args
    declared = ", ".join(f"${key}: {argument.type}" for key, argument in wanted.items())
    passed = ", ".join(f"{key}: ${key}" for key in wanted)
    fields = "" if "Boolean" in str(field.type) else " { __typename }"
    head = f"mutation ({declared})" if declared else "mutation"
    return f"{head} {{ {name}{f'({passed})' if passed else ''}{fields} }}"


async def made(world: World) -> Things:
    """The things that mutations change, made by who may make everything."""
    launched = await world.ask(
        "admin",
        "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { ... on LaunchRunSuccess { run { id } } } }",
        {"p": RUN},
    )
    backfills = [await _backfill(world) for _ in range(2)]
    instance = world.instance
    ended: Any = instance.get_backfill(backfills[1])
    instance.update_backfill(ended.with_status(BulkActionStatus.COMPLETED_FAILED))
    instance.add_dynamic_partitions("flights_parts", ["old"])
    instance.event_log_storage.set_concurrency_slots("held", 2)
    [schedule, sensor] = [await _identity(world, kind) for kind in ("schedule", "sensor")]
    return Things(launched["data"]["launchRun"]["run"]["id"], backfills[0], backfills[1], schedule, sensor)


async def _backfill(world: World) -> str:
    answer = await world.ask(
        "admin",
        "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p)"
        " { ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }",
        {"p": {"assetSelection": [MONTHLY], "partitionNames": ["jan"]}},
    )
    return str(answer["data"]["launchPartitionBackfill"]["backfillId"])


async def _identity(world: World, kind: str) -> str:
    """Switches a schedule or sensor on, and gives the id by which it is stopped."""
    title = kind.capitalize()
    selector = SCHEDULE if kind == "schedule" else SENSOR
    answer = await world.ask(
        "admin",
        f"mutation($s: {title}Selector!) {{ start{title}({kind}Selector: $s) {{ __typename"
        + (" ... on ScheduleStateResult { scheduleState { id } }" if kind == "schedule" else "")
        + (" ... on Sensor { sensorState { id } }" if kind == "sensor" else "")
        + " } }",
        {"s": selector},
    )
    return str(answer["data"][f"start{title}"][f"{kind}State"]["id"])
