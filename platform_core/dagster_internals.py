"""The only module that imports private Dagster names. Each function says which public way is missing."""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.assets.graph.asset_graph import AssetNode
from dagster._core.definitions.job_base import IJob, InMemoryJob
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.event_api import EventLogCursor
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.api import create_execution_plan, execute_plan_iterator, execute_run_iterator
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.execution.context.system import IStepContext, PlanOrchestrationContext, StepExecutionContext
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.handle import StepHandle
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.objects import (
    StepFailureData,
    StepRetryData,
    StepSuccessData,
    TypeCheckData,
    UserFailureData,
)
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster._core.instance import InstanceRef
from dagster._core.launcher.base import (
    CheckRunHealthResult,
    LaunchRunContext,
    ResumeRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.remote_representation.handle import CompoundID
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorTick,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage import local_compute_log_manager
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    AUTO_RETRY_RUN_ID_TAG,
    PARTITION_NAME_TAG,
    WILL_RETRY_TAG,
)
from dagster._core.system_config.objects import ResolvedRunConfig
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._grpc.types import ExecuteRunArgs, ExecuteStepArgs, ResumeRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, deserialize_value, serialize_value
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers
from dagster._utils.schedules import cron_string_iterator, reverse_cron_string_iterator
from dagster_shared.error import SerializableErrorInfo

from platform_core.errors import SettingsError
from platform_core.spared_imports import postponed, without, without_init_of

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.remote_asset_graph import RemoteAssetGraph
    from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
    from dagster._core.workspace.context import BaseWorkspaceRequestContext
    from dagster._core.workspace.permissions import EDITOR_PERMISSIONS, LOCATION_SCOPED_PERMISSIONS, PermissionResult

# What `platform_core.compute` is made of: publicly there is neither a way to execute one step in a process of its own,
# nor one to write the events that an executor writes.
__all__ = [
    "EDITOR_PERMISSIONS",
    "INDEX_SHARD_NAME",
    "LOCATION_SCOPED_PERMISSIONS",
    "ActiveExecution",
    "AssetNode",
    "BaseWorkspaceRequestContext",
    "CheckRunHealthResult",
    "ConfigurableClass",
    "ConfigurableClassData",
    "DagsterEvent",
    "EngineEventData",
    "ExecuteRunArgs",
    "ExecutionPlan",
    "ExecutionStep",
    "IJob",
    "IStepContext",
    "InMemoryJob",
    "InstanceRef",
    "KnownExecutionState",
    "LaunchRunContext",
    "PermissionResult",
    "PlanOrchestrationContext",
    "ResolvedRunConfig",
    "ResumeRunArgs",
    "ResumeRunContext",
    "RetryMode",
    "RunLauncher",
    "SerializableErrorInfo",
    "SqliteEventLogStorage",
    "StepFailureData",
    "StepOutputData",
    "StepOutputHandle",
    "StepRetryData",
    "StepSuccessData",
    "TypeCheckData",
    "UserFailureData",
    "WorkerStatus",
    "capture_interrupts",
    "create_execution_plan",
    "deserialize_value",
    "execute_plan_iterator",
    "local_compute_log_manager",
    "redirect_to_file",
    "serialize_value",
    "setup_interrupt_handlers",
]


AT_ONCE = 500  # rows in one statement
RUNLESS = ""  # the id of the run, and the name of the job, of an event that belongs to none

# What only the process of a run or of a webserver needs: its import would make loading a location a tenth longer.
_IMPORTED_WHEN_ASKED_FOR = {
    "INDEX_SHARD_NAME": "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "SqliteEventLogStorage": "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "BaseWorkspaceRequestContext": "dagster._core.workspace.context",
    "EDITOR_PERMISSIONS": "dagster._core.workspace.permissions",
    "LOCATION_SCOPED_PERMISSIONS": "dagster._core.workspace.permissions",
    "PermissionResult": "dagster._core.workspace.permissions",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_WHEN_ASKED_FOR[name]), name)


def spare_imports() -> None:
    """Lets this process open an instance without Alembic and Dagster's daemons, which a run never calls.

    Each database in files is asked at every opening whether it is migrated, and a new one, of which each run has one,
    is marked as migrated: for either, Alembic loads all migrations that ever were. With the imports that was a third
    of what a worker spent. Before anything opens an instance; without effect in another release of Dagster.
    """
    if not dg.__version__.startswith(HELD_FOR):
        return
    with without(_OF_ALEMBIC), without_init_of("dagster._daemon"):
        import dagster._daemon.types  # noqa: F401
        from dagster._core.storage import sql

    config_of = sql.get_alembic_config
    own = {
        "get_alembic_config": lambda *given, **named: postponed(lambda: config_of(*given, **named)),
        "check_alembic_revision": _in_files(_revisions, sql.check_alembic_revision),
        "stamp_alembic_rev": _in_files(_stamp, sql.stamp_alembic_rev),
    }
    vars(sql).update(own)


def spare_default_state() -> None:
    """Lets this process open instances without the default place for the state of components, and without fsspec.

    It is a folder of the machine that launched the run, which a step elsewhere does not see.
    """
    state: Any = InstanceRef.defs_state_storage
    told = property(lambda reference: state.fget(reference) if reference.defs_state_storage_data else None)
    setattr(InstanceRef, "defs_state_storage", told)  # noqa: B010


def _in_files(own: Any, theirs: Any) -> Any:
    """What is done to a database in a file, and Dagster's own way for every other one."""

    def choose(config: Any, connection: Any, rev: str = "head") -> Any:
        if connection.dialect.name == "sqlite" and rev == "head":
            return own(connection)
        return theirs(config, connection, *([] if rev == "head" else [rev]))

    return choose


def _revisions(connection: Any) -> tuple[str | None, str]:
    """That of the database, None for a new one, and the newest one there is."""
    from sqlalchemy import inspect, text

    if "alembic_version" not in inspect(connection).get_table_names():
        return None, NEWEST_MIGRATION
    row = connection.execute(text("select version_num from alembic_version")).first()
    return row[0] if row else None, NEWEST_MIGRATION


def _stamp(connection: Any) -> None:
    from sqlalchemy import text

    key = "constraint alembic_version_pkc primary key"
    connection.execute(text(f"create table if not exists alembic_version (version_num varchar(32) not null {key})"))
    connection.execute(text("insert into alembic_version values (:newest)"), {"newest": NEWEST_MIGRATION})


NEWEST_MIGRATION = "29b539ebc72a"  # of the tables of HELD_FOR; a test compares
_OF_ALEMBIC = {
    "alembic": (),
    "alembic.command": ("downgrade", "stamp", "upgrade"),
    "alembic.config": ("Config",),
    "alembic.runtime": (),
    "alembic.runtime.environment": ("EnvironmentContext",),
    "alembic.runtime.migration": ("MigrationContext",),
    "alembic.script": ("ScriptDirectory",),
}

PAGE = 1000  # entries of an event log that are read at once
HELD_FOR = "1.13"  # the Dagster release for which these names were checked; a test compares


@dataclass(frozen=True)
class LocationOrigin:
    """Where the definitions of a location are: a module's attribute, as an interpreter sees it."""

    location: str
    module: str
    attribute: str
    executable: Path

    def seen_by_webserver(self, job: str) -> RemoteJobOrigin:
        """What makes a run belong to a location that workspace.yaml names with an interpreter."""
        target = LoadableTargetOrigin(executable_path=str(self.executable), module_name=self.module)
        origin = ManagedGrpcPythonEnvCodeLocationOrigin(loadable_target_origin=target, location_name=self.location)
        return RemoteRepositoryOrigin(origin, repository_name="__repository__").get_job_origin(job)

    def seen_by_steps(self, job: str) -> JobPythonOrigin:
        """What lets a process elsewhere load the job again."""
        pointer = ModuleCodePointer(self.module, self.attribute)
        return RepositoryPythonOrigin(str(self.executable), pointer).get_job_origin(job)


Together = Callable[[], AbstractContextManager[None]]
Hold = Callable[[dg.DagsterInstance, str], AbstractContextManager[Together]]


def stream_run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    selection: Sequence[dg.AssetKey],
    tags: Mapping[str, str],
    origin: LocationOrigin,
    *,
    hold: Hold = lambda *_: nullcontext(nullcontext),
) -> Iterator[dg.DagsterEvent]:
    """Runs a selection of a job, this process being its run worker, and gives each event as it happens.

    `execute_in_process` gives its events only at the end, its runs belong to no code location in the UI, and no
    other process could execute a step of them. An interrupt ends the run as a cancelled one.

    Args:
        hold: keeps the event log of a run open, for the events of all that is planned to be written in one commit.
    """
    run_id = str(uuid.uuid4())
    with hold(instance, run_id) as together, together():
        run = instance.create_run_for_job(
            job,
            run_id=run_id,
            run_config={"loggers": {"console": {}}},  # without it Dagster prints each of its events
            tags={**job.run_tags, **tags},
            asset_selection=frozenset(selection) or None,  # a job of ops has none
            remote_job_origin=origin.seen_by_webserver(job.name),
            job_code_origin=origin.seen_by_steps(job.name),
        )
    with capture_interrupts():
        yield from execute_run_iterator(InMemoryJob(job), run, instance)


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Run tags for one partition, or for the range between the first and the last of several."""
    if not keys:
        return {}
    if len(keys) == 1:
        return {PARTITION_NAME_TAG: keys[0]}
    return {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}


def one_partition(tags: Mapping[str, str], definition: dg.PartitionsDefinition, key: str) -> dict[str, str]:
    """The tags of a run as they would be if it were of that partition alone."""
    of_range = (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    kept = {name: value for name, value in tags.items() if name not in of_range}
    return kept | dict(definition.get_tags_for_partition_key(key))


def partitions_of(context: PlanOrchestrationContext, definition: dg.PartitionsDefinition) -> Sequence[str]:
    """The partitions that a run is for, of those of a definition."""
    tags = context.dagster_run.tags
    if ASSET_PARTITION_RANGE_START_TAG not in tags:
        return [tags[PARTITION_NAME_TAG]] if PARTITION_NAME_TAG in tags else []
    ends = dg.PartitionKeyRange(tags[ASSET_PARTITION_RANGE_START_TAG], tags[ASSET_PARTITION_RANGE_END_TAG])
    with partition_loading_context(dynamic_partitions_store=context.instance):
        return definition.get_partition_keys_in_range(ends)


def needed_upstream(context: dg.OutputContext, upstream: dg.AssetKey, partition: str) -> set[str] | None:
    """The partitions of an upstream asset that a partition of this one is computed from; None where it has none."""
    step: StepExecutionContext = context.step_context
    graph = step.job_def.asset_layer.asset_graph
    above = graph.get(upstream).partitions_def if graph.has(upstream) else None
    own = graph.get(context.asset_key).partitions_def
    if above is None or own is None:
        return None
    mapping = graph.get_partition_mapping(context.asset_key, upstream)
    with partition_loading_context(dynamic_partitions_store=step.instance):
        wanted = own.subset_with_partition_keys([partition])
        found = mapping.get_upstream_mapped_partitions_result_for_partitions(wanted, own, above)
        return set(found.partitions_subset.get_partition_keys())


def execute_step_of(
    run: dg.DagsterRun, instance: dg.DagsterInstance, step: str, retries: RetryMode, known: KnownExecutionState
) -> None:
    """Executes a step as `dagster api execute_step` does, which alone can publicly."""
    with without_init_of("dagster._cli"):  # all of Dagster's commands
        from dagster._cli.api import _execute_step_command_body

    origin: Any = run.job_code_origin
    args = ExecuteStepArgs(origin, run.run_id, [step], None, retries, known)
    for _ in _execute_step_command_body(args, instance, run):
        pass


def work_on_run(run_id: str, instance: dg.DagsterInstance, *, resume: bool) -> None:
    """What the processes of `dagster api execute_run` and `resume_run` do, in one that has everything loaded."""
    from dagster._cli.api import _execute_run_command_body, _resume_run_command_body  # 0.1 s, for this alone

    body: Any = _resume_run_command_body if resume else _execute_run_command_body
    setup_interrupt_handlers()
    with capture_interrupts():
        body(run_id, instance, lambda _: None, set_exit_code_on_failure=False)


def job_of(run: dg.DagsterRun) -> IJob:
    """Loads the job of a run, as far as the run has selected it, from where its code is."""
    origin: Any = run.job_code_origin
    job: IJob = recon_job_from_origin(origin).get_subset(
        op_selection=run.resolved_op_selection,
        asset_selection=run.asset_selection,
        asset_check_selection=run.asset_check_selection,
    )
    return job


def tell_refusal(instance: dg.DagsterInstance, run: dg.DagsterRun, step: str, sentence: str) -> None:
    """Writes the event of the failure of a step that its process does not even begin."""
    make: Any = StepFailureData
    description: Any = UserFailureData
    handle: Any = StepHandle.parse_from_key(step)
    error = SerializableErrorInfo(sentence, [], "FrozenError")
    event = DagsterEvent(
        event_type_value=dg.DagsterEventType.STEP_FAILURE.value,
        job_name=run.job_name,
        step_handle=handle,
        node_handle=handle.node_handle,
        event_specific_data=make(error, description("FrozenError", sentence)),
        message=f"{step} was refused: {sentence}",
    )
    instance.report_dagster_event(event, run_id=run.run_id, log_level=logging.ERROR)


def set_data_version(context: dg.OutputContext, version: str) -> None:
    """Gives the content's hash as the asset's data version. Publicly only the asset's own function could,
    which does not know yet what it is going to be when written."""
    step: StepExecutionContext = context.step_context
    step.set_data_version(context.asset_key, dg.DataVersion(version))


@contextmanager
def active_execution(
    context: PlanOrchestrationContext, plan: ExecutionPlan, retries: RetryMode, max_concurrent: int | None
) -> Iterator[ActiveExecution]:
    """The state machine of a run: which steps can start, what follows from an event. Holds its pools."""
    with (
        InstanceConcurrencyContext(context.instance, context.dagster_run) as pools,
        ActiveExecution(
            plan, retry_mode=retries, max_concurrent=max_concurrent, instance_concurrency_context=pools
        ) as active,
    ):
        yield active


def report_materializations(
    instance: dg.DagsterInstance, events: Sequence[tuple[datetime, dg.AssetMaterialization]]
) -> None:
    """Writes materializations that belong to no run, each as of a time of its own, the newest of an asset last: all of
    them in one transaction. What Dagster has for a batch writes one asset, and on SQLite one event, at a time.
    """
    from dagster._core.events import StepMaterializationData
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

    def entry(at: datetime, event: dg.AssetMaterialization) -> dg.EventLogEntry:
        kind, data = dg.DagsterEventType.ASSET_MATERIALIZATION.value, StepMaterializationData(event)
        told = DagsterEvent(event_type_value=kind, job_name=RUNLESS, event_specific_data=data)
        return dg.EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None, level=logging.INFO, user_message="", run_id=RUNLESS, timestamp=at.timestamp(),
            job_name=RUNLESS, dagster_event=told,
        )  # fmt: skip

    entries = [entry(at, event) for at, event in events]
    last = {event.asset_key: number for number, (_, event) in enumerate(events)}
    storage: Any = instance.event_log_storage  # of whichever database, it writes by SQLAlchemy
    new = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
    with storage.index_transaction() as connection:
        for start in range(0, len(entries), AT_ONCE):
            some = entries[start : start + AT_ONCE]
            ids = connection.execute(new, [storage._event_to_row(item) for item in some]).scalars().all()
            storage._store_asset_event_tags(connection, some, ids)
            for number in last.values():
                if start <= number < start + AT_ONCE:
                    storage._store_asset_event(connection, entries[number], ids[number - start])


def events_after(instance: dg.DagsterInstance, run_id: str, number: int) -> Iterator[tuple[int, dg.EventLogEntry]]:
    """The entries of a run's event log above a number, with their numbers, however many there are."""
    cursor: str | None = EventLogCursor.from_storage_id(number).to_string()
    while True:
        page = instance.get_records_for_run(run_id, cursor, limit=PAGE)
        for record in page.records:
            yield record.storage_id, record.event_log_entry
        if not page.has_more:
            return
        cursor = page.cursor


def events_from(
    instance: dg.DagsterInstance, run_id: str, cursor: str | None, kinds: set[dg.DagsterEventType]
) -> Iterator[tuple[dg.EventLogEntry, str]]:
    """The entries of some kinds in a run's event log after a cursor, each with the cursor behind it."""
    while True:
        page = instance.get_records_for_run(run_id, cursor, of_type=kinds, limit=PAGE)
        for record in page.records:
            yield record.event_log_entry, EventLogCursor.from_storage_id(record.storage_id).to_string()
        if not page.has_more:
            return
        cursor = page.cursor


def asset_nodes_of(context: PlanOrchestrationContext, step: Any) -> list[AssetNode]:
    """What a step materialises of the run's assets; the plan knows only the name of its function."""
    layer = context.job.get_definition().asset_layer
    chosen = layer.get_selected_entity_keys_for_node(step.node_handle)
    return [layer.get(key) for key in sorted(key for key in chosen if isinstance(key, dg.AssetKey))]


def upstream_nodes(context: PlanOrchestrationContext, node: AssetNode) -> list[AssetNode]:
    """The assets that one reads, as far as its location knows them."""
    layer = context.job.get_definition().asset_layer
    return [layer.get(key) for key in node.parent_keys if layer.has(key)]


def captured_files(instance: dg.DagsterInstance, run_id: str, event: dg.DagsterEvent) -> list[str]:
    """The local files that hold the standard output and error of the step that an event of capture is about."""
    manager: Any = instance.compute_log_manager
    local = getattr(manager, "local_manager", manager)  # one that keeps logs elsewhere captures to files first
    if not isinstance(local, LocalComputeLogManager):
        return []
    key = [*manager.build_log_key_for_run(run_id, event.logs_captured_data.file_key)]
    return [local.get_captured_local_path(key, extension) for extension in ("out", "err")]


_ON = (InstigatorStatus.RUNNING, InstigatorStatus.DECLARED_IN_CODE)


def failed_ticks(instance: dg.DagsterInstance) -> dict[str, InstigatorTick]:
    """By name the last tick of each schedule and sensor that is on and whose last tick failed."""
    found = {}
    done = [TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.FAILURE]
    for state in instance.all_instigator_state():
        if state.status in _ON:
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=done)
            if ticks and ticks[0].status == TickStatus.FAILURE:
                found[state.name] = ticks[0]
    return found


def running_schedules(instance: dg.DagsterInstance) -> dict[str, tuple[float, float]]:
    """By name the schedules that are on: since when, and when the last one ticked; in seconds since 1970."""
    found = {}
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        if state.status in _ON:
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
            started = getattr(state.instigator_data, "start_timestamp", None) or 0.0
            found[state.name] = (started, ticks[0].timestamp if ticks else 0.0)
    return found


def latest_cron_tick(cron: str, timezone: str, before: datetime) -> datetime:
    """The last moment that a cron expression names until another one, in UTC."""
    return next(iter(reverse_cron_string_iterator(before.timestamp(), cron, timezone))).astimezone(UTC)


def cron_times(cron: str, timezone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments that a cron expression names after one and up to another one, as the scheduler has them; in UTC,
    as times of one zone are compared by the hands of its clocks."""
    for named in cron_string_iterator(after.timestamp(), cron, timezone):
        moment = named.astimezone(UTC)
        if moment > until.astimezone(UTC):
            return
        if moment > after.astimezone(UTC):
            yield moment


def handled_until(context: dg.ScheduleEvaluationContext) -> datetime | None:
    """Up to when a schedule has done what it had to before this tick: its last tick that ended well, or when it was
    switched on; None outside of the scheduler. The same for a tick that is evaluated twice.
    """
    if not context.log_key:
        return None
    instance: Any = context.instance
    tick = instance.schedule_storage.get_tick(int(context.log_key[-1]))
    state = instance.get_instigator_state(tick.instigator_origin_id, tick.selector_id)
    done = [TickStatus.SUCCESS, TickStatus.SKIPPED]
    before = {"before": tick.timestamp, "limit": 1, "statuses": done}
    ticks = instance.get_ticks(tick.instigator_origin_id, tick.selector_id, **before)
    on_since = getattr(state.instigator_data, "start_timestamp", None) if state else None
    times = [one for one in (ticks[0].timestamp if ticks else None, on_since) if one is not None]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def tick_schedules(workspace: Any, now: datetime, seen: dict[str, Any]) -> None:
    """Does what the scheduler does at one moment.

    Args:
        seen: what it remembers from one to the next, as long as its process lives; empty at first.
    """
    from dagster._scheduler.scheduler import launch_scheduled_runs

    for told in launch_scheduled_runs(workspace, logging.getLogger("headrace.schedules"), now, iteration_times=seen):
        if isinstance(told, SerializableErrorInfo):
            raise RuntimeError(told.to_string())


def reopen_ticks(instance: dg.DagsterInstance) -> None:
    """Leaves the last tick of each schedule as a daemon does that dies before it notes how the tick ended."""
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1):
            instance.update_tick(tick.with_status(TickStatus.STARTED))


def switch_on(instance: dg.DagsterInstance, at: datetime) -> None:
    """Switches all schedules on as the UI does, as of a time."""
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        data: Any = state.instigator_data
        since = ScheduleInstigatorData(data.cron_schedule, at.timestamp())
        instance.update_instigator_state(state.with_status(InstigatorStatus.RUNNING).with_data(since))


def daemon_beats(instance: dg.DagsterInstance) -> dict[str, float]:
    """By daemon when it was last heard of, in seconds since 1970; only those that ever were."""
    return {name: beat.timestamp for name, beat in instance.get_daemon_heartbeats().items()}


def switch_schedule_on(instance: dg.DagsterInstance, schedule: dg.ScheduleDefinition) -> None:
    """As the button in the UI does, at present."""
    home = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    since = ScheduleInstigatorData(schedule.cron_schedule or "", time.time())
    origin = RemoteInstigatorOrigin(home, schedule.name)
    state = InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, since)
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is not None
    (instance.update_instigator_state if known else instance.add_instigator_state)(state)


def note_tick(instance: dg.DagsterInstance, sensor: str, error: Exception | None = None) -> None:
    """Notes a tick of a sensor that is on, as the daemon does."""
    home = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    origin = RemoteInstigatorOrigin(home, sensor)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    if instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is None:
        instance.add_instigator_state(state)
    status, told = TickStatus.SKIPPED, None
    if error is not None:
        status, told = TickStatus.FAILURE, SerializableErrorInfo(str(error), [], type(error).__name__)
    data = (state.instigator_origin_id, sensor, InstigatorType.SENSOR, status, time.time())
    instance.create_tick(TickData(*data, error=told, selector_id=state.selector_id))


def beat_daemon(instance: dg.DagsterInstance, name: str, at: float) -> None:
    """Notes that a daemon was heard of."""
    from dagster._daemon.types import DaemonHeartbeat

    instance.add_daemon_heartbeat(DaemonHeartbeat(at, name, None, None))


def places_of_run(run: dg.DagsterRun) -> list[str | None]:
    """The location that a run is of; None for one of no location."""
    return [run.remote_job_origin.location_name if run.remote_job_origin else None]


def places_of_assets(context: "BaseWorkspaceRequestContext", keys: Sequence[dg.AssetKey]) -> list[str | None]:
    """The locations that compute some assets; None for those that none does."""
    graph = context.asset_graph
    return [graph.get_repository_handle(key).location_name if graph.has(key) else None for key in keys]


def places_of_backfill(context: "BaseWorkspaceRequestContext", identity: str) -> list[str | None]:
    """The locations that a backfill computes something in; None for one that is not known."""
    backfill = context.instance.get_backfill(identity)
    if backfill is None:
        return [None]
    if backfill.is_asset_backfill:
        return places_of_assets(context, backfill.asset_selection or ()) or [None]
    return [backfill.partition_set_origin.selector.location_name if backfill.partition_set_origin else None]


def places_of_instigator(
    context: "BaseWorkspaceRequestContext", kind: str, both: str | None, origin: str | None, selector: str | None
) -> list[str | None]:
    """The location of the schedule or sensor that a request means by two identities, or by `both` in one text.

    None when they are not of the same one: Dagster asks for the right on what the first names, and stops what the
    second names.

    Args:
        kind: `schedules` or `sensors`.
    """
    if (text := both or origin) and CompoundID.is_valid_string(text):
        compound = CompoundID.from_string(text)
        origin, selector = compound.remote_origin_id, compound.selector_id
    for location in context.code_locations:
        for repository in location.get_repositories().values():
            for one in getattr(repository, f"get_{kind}")():
                if one.get_remote_origin_id() == origin:
                    return [location.name if one.selector_id == selector else None]
    return [None]


def with_tags(backfill: Any, tags: Mapping[str, str]) -> Any:
    """A backfill with some tags of its own changed."""
    return backfill._replace(tags={**backfill.tags, **tags})


def workspace_of_file(instance: dg.DagsterInstance, path: Path, asking: type) -> Any:
    """What a webserver shows: the locations of a workspace.yaml, together with an instance. To be closed.

    Args:
        asking: mixed into each request context, which is what Dagster asks for permissions.
    """
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    return _workspace(instance, WorkspaceFileTarget([str(path)]), asking)


def workspace_in_process(instance: dg.DagsterInstance, path: Path, names: Sequence[str], asking: type) -> Any:
    """The same of definitions in a Python file, each a location of its name, without code servers."""
    from dagster._core.remote_origin import InProcessCodeLocationOrigin
    from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

    targets = [LoadableTargetOrigin(python_file=str(path), attribute=name) for name in names]
    origins = [InProcessCodeLocationOrigin(one, location_name=one.attribute) for one in targets]
    return _workspace(instance, InProcessWorkspaceLoadTarget(origins), asking)


def _workspace(
    instance: dg.DagsterInstance,
    target: Any,
    asking: type,
    code: "ServedLocations | None" = None,
    production: "Callable[[], RemoteAssetGraph[Any] | None]" = lambda: None,
) -> Any:
    from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
    from dagster_shared.record import replace

    class Request(asking, WorkspaceRequestContext):  # type: ignore[misc]
        @cached_property  # it is asked for once for each asset
        def _production(self) -> Any:
            return production()

        def get_base_deployment_asset_graph(self, repository_selector: Any) -> Any:  # noqa: ARG002
            return self._production

    class Workspace(WorkspaceProcessContext):
        def _load_location(self, origin: Any, reload: bool) -> Any:
            if reload and code is not None:
                reload = code.reload(origin.location_name)
            entry = super()._load_location(origin, reload=reload)
            sentence = code.problem(origin.location_name) if entry.load_error and code is not None else ""
            told = SerializableErrorInfo(sentence, [], SettingsError.__name__)
            return replace(entry, load_error=told) if sentence else entry

        def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
            return Request(self.instance, self.get_current_workspace(), self, self.version, source, self.read_only)

    return Workspace(instance, target, version=dg.__version__)


def end_backfill(instance: dg.DagsterInstance, identity: str) -> None:
    """Notes that a backfill has failed, as the daemon does."""
    from dagster._core.execution.backfill import BulkActionStatus

    found: Any = instance.get_backfill(identity)
    instance.update_backfill(found.with_status(BulkActionStatus.COMPLETED_FAILED))


UNLOADED = "headrace/unloaded_locations"
NOTE_LOCATIONS = 30.0  # seconds
RETRIED_WITHIN = 3600.0  # seconds after which a run that failed is not started again any more

# What a code server and a daemon import before they load a location. Nothing of it starts a thread.
CODE_SERVER_LIBRARIES = (
    "dagster._cli.api",
    "dagster._grpc.server",
    "dagster._daemon.cli",
    "dagster._daemon.controller",
)
DAEMON_MODULE = "dagster._daemon"  # what `dagster-daemon` runs


def local_locations(workspace: Path) -> dict[str, Mapping[str, Any]]:
    """The locations of a workspace.yaml, with what the UI tells of their code."""
    return {origin.location_name: origin.loadable_target_origin.as_dict for origin in _origins(workspace)}


def _origins(workspace: Path) -> Sequence[Any]:
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    return list(WorkspaceFileTarget([str(workspace)]).create_origins())


def local_code_server(instance: dg.DagsterInstance, workspace: Path, name: str) -> Any:
    """The running code server of one location of a workspace.yaml: its `socket`, and a context manager to end it.

    It reloads its code when asked, as `dagster dev` has them. Publicly there are only all together, which wait for
    each other.

    Raises:
        SettingsError: it did not start, nor say why, within the instance's time.
    """
    from dagster._cli.proxy_server_manager import ProxyServerManager
    from dagster._core.errors import DagsterUserCodeProcessError
    from dagster._core.workspace.load_target import WorkspaceLoadTarget

    class Only(WorkspaceLoadTarget):
        def create_origins(self) -> Any:
            return [origin for origin in _origins(workspace) if origin.location_name == name]

    class Server(ProxyServerManager):
        socket = ""

    server = Server(instance, Only(), "WARNING")
    try:
        server.socket = server.get_code_server_specs()[0]["grpc_server"]["socket"]
    except DagsterUserCodeProcessError as error:
        server.__exit__(None, None, None)
        raise SettingsError(str(error).strip().partition(" with the command:")[0]) from error  # which has all settings
    return server


class ServedLocations(Protocol):
    """Code servers that run already."""

    @property
    def specs(self) -> Sequence[Mapping[str, Any]]:
        """Where they are, as a workspace.yaml would say it."""
        ...

    def reload(self, name: str) -> bool:
        """Makes a server ready to serve new code, and says whether it is still to be asked to load it."""
        ...

    def problem(self, name: str) -> str:
        """Why a location has no server, in a sentence; empty where it has one."""
        ...


def served_workspace(
    instance: dg.DagsterInstance,
    code: ServedLocations,
    asking: type,
    production: "Callable[[], RemoteAssetGraph[Any] | None]" = lambda: None,
) -> Any:
    """The same of code servers that run already.

    Publicly the path by which the UI marks what is new or changed ends nowhere.

    Args:
        production: the assets that those of the locations are compared with.
    """
    from dagster._core.workspace.load_target import WorkspaceLoadTarget

    class Servers(WorkspaceLoadTarget):
        def create_origins(self) -> Any:
            return [GrpcServerCodeLocationOrigin(**server["grpc_server"]) for server in code.specs]

    return _workspace(instance, Servers(), asking, code, production)


def code_server_answers(socket: Path) -> bool:
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.client import DagsterGrpcClient

    try:
        DagsterGrpcClient(socket=str(socket)).ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


def run_daemons(instance: dg.DagsterInstance, workspace: Path, level: str) -> None:
    """Does what `dagster-daemon run` does, with an instance that is open, until an interrupt; raises that."""
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster._daemon.controller import daemon_controller_from_instance

    setup_interrupt_handlers()
    target = WorkspaceFileTarget([str(workspace)])
    levels: dict[str, Any] = {"log_level": level, "code_server_log_level": "warning"}
    with (
        capture_interrupts(),
        daemon_controller_from_instance(instance, target, gen_daemons=daemons_of, **levels) as daemons,
        _noting_locations(instance, daemons._workspace_process_context),
    ):
        daemons.check_daemon_loop()


def daemons_of(instance: dg.DagsterInstance) -> Iterator[Any]:
    """Dagster's daemons, of which the one that starts failed runs again looks for those that it missed."""
    from dagster._daemon.auto_run_reexecution import event_log_consumer as original
    from dagster._daemon.auto_run_reexecution.auto_run_reexecution import consume_new_runs_for_automatic_reexecution
    from dagster._daemon.controller import create_daemons_from_instance

    class EventLogConsumerDaemon(original.EventLogConsumerDaemon):  # by the name that logs know it by
        def run_iteration(self, workspace_process_context: Any) -> Generator[Any, None, None]:
            yield from super().run_iteration(workspace_process_context)
            missed = missed_retries(instance)
            yield from consume_new_runs_for_automatic_reexecution(workspace_process_context, missed, self._logger)

    for daemon in create_daemons_from_instance(instance):
        yield EventLogConsumerDaemon() if isinstance(daemon, original.EventLogConsumerDaemon) else daemon


def missed_retries(instance: dg.DagsterInstance) -> Sequence[dg.RunRecord]:
    """Runs that failed of late, are to be started again, and were not.

    Dagster's daemon looks once at the event of a failure, and gives the run up when its row does not yet say that it
    failed: that is written a moment later (dagster-io/dagster#33741 has figures).
    """
    of_late = datetime.now(UTC) - timedelta(seconds=RETRIED_WITHIN)
    tags = {WILL_RETRY_TAG: "true"}
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags=tags, updated_after=of_late)
    records = instance.get_run_records(failed)
    return [record for record in records if AUTO_RETRY_RUN_ID_TAG not in record.dagster_run.tags]


@contextmanager
def _noting_locations(instance: dg.DagsterInstance, workspace: Any) -> Iterator[None]:
    """Keeps in the instance which locations cannot be loaded: only the daemon sees all, and none can tell of itself."""
    ended = threading.Event()

    def note() -> None:
        while True:
            try:
                entries = workspace.get_current_workspace().code_location_entries
                errors = {name: _in_a_line(entry.load_error) for name, entry in entries.items() if entry.load_error}
                instance.daemon_cursor_storage.set_cursor_values({UNLOADED: json.dumps(errors)})
            except Exception:  # a database that is away; the daemon's own loops say so, and go on
                logging.getLogger("headrace").exception("Which locations cannot be loaded was not noted.")
            if ended.wait(NOTE_LOCATIONS):
                return

    thread = threading.Thread(target=note, name="locations", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def error_of(event: DagsterEvent | None) -> SerializableErrorInfo | None:
    """Why a step failed, or is tried again; None of other events."""
    if event is not None and event.is_step_failure:
        return event.step_failure_data.error
    if event is not None and event.is_step_up_for_retry:
        return event.step_retry_data.error
    return None


def root_cause(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The last cause, which is the team's own."""
    while error.cause is not None:
        error = error.cause
    return error


def _in_a_line(error: SerializableErrorInfo) -> str:
    cause = root_cause(error)
    return (cause.message.strip().splitlines() or [str(cause.cls_name)])[0]


def unloaded_locations(instance: dg.DagsterInstance) -> dict[str, str]:
    """The locations that the daemon cannot load, with the error of each."""
    found = instance.daemon_cursor_storage.get_cursor_values({UNLOADED}).get(UNLOADED, "{}")
    errors: dict[str, str] = json.loads(found)
    return errors


def is_busy(instance: dg.DagsterInstance) -> bool:
    """Whether something goes on, or could begin by itself: runs, backfills, and schedules or sensors that are on."""
    from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

    if instance.get_run_ids(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)), limit=1):
        return True
    going = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
    if instance.get_backfills(BulkActionsFilter(statuses=going), limit=1):
        return True
    return any(state.status == InstigatorStatus.RUNNING for state in instance.all_instigator_state())


def wanted_daemons(instance: dg.DagsterInstance) -> list[str]:
    """The daemons that an instance with its settings needs."""
    return sorted(instance.get_required_daemon_types())


def location_served_at(host: str, port: int | None, socket: str | None) -> str:
    """What is wrong with a code server; nothing when it answers and its code was loaded."""
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.client import DagsterGrpcClient

    client = DagsterGrpcClient(host=host, port=port, socket=socket)
    try:
        client.ping("")
        answer: Any = deserialize_value(client.list_repositories())
    except DagsterUserCodeUnreachableError:
        return "nobody answers there; its pod or process may have ended."
    if not isinstance(answer, SerializableErrorInfo):
        return ""
    return f"its code cannot be loaded: {_in_a_line(answer)}"


@contextmanager
def replaced_function(
    asset: dg.AssetsDefinition, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Within, an asset is computed by what `make` makes of its function: publicly one would have to declare it anew."""
    op: Any = asset.node_def
    before = op._compute_fn
    op._compute_fn = type(before)(make(before.decorated_fn))
    try:
        yield
    finally:
        op._compute_fn = before


def take_output_metadata(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """What a step was told of its output so far, which it forgets: publicly it can only be added to."""
    step: Any = context.op_execution_context._step_execution_context
    told = step._metadata_accumulator
    step._metadata_accumulator = type(told).empty()
    return {name: value for said in told.per_output_metadata.values() for name, value in said.items()}


def error_info(error: Exception) -> SerializableErrorInfo:
    """An error as Dagster keeps it."""
    told: Any = (type(error), error, error.__traceback__)
    return serializable_error_info_from_exc_info(told)
