"""The only module that imports private names of Dagster; what they are for is in `platform_core.orchestrator`."""

from typing import TYPE_CHECKING, Any

from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.assets.graph.asset_graph import AssetNode
from dagster._core.definitions.job_base import IJob, InMemoryJob
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.errors import DagsterUserCodeProcessError, DagsterUserCodeUnreachableError
from dagster._core.event_api import EventLogCursor
from dagster._core.events import DagsterEvent, EngineEventData, StepMaterializationData
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
    InProcessCodeLocationOrigin,
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
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
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
from dagster_shared.record import replace

if TYPE_CHECKING:
    from dagster._cli.api import _execute_run_command_body, _execute_step_command_body, _resume_run_command_body
    from dagster._cli.proxy_server_manager import ProxyServerManager
    from dagster._core.definitions.assets.graph.remote_asset_graph import RemoteAssetGraph
    from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
    from dagster._core.storage import sql
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
    from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
    from dagster._core.workspace.context import (
        BaseWorkspaceRequestContext,
        WorkspaceProcessContext,
        WorkspaceRequestContext,
    )
    from dagster._core.workspace.load_target import (
        InProcessWorkspaceLoadTarget,
        WorkspaceFileTarget,
        WorkspaceLoadTarget,
    )
    from dagster._core.workspace.permissions import EDITOR_PERMISSIONS, LOCATION_SCOPED_PERMISSIONS, PermissionResult
    from dagster._daemon.auto_run_reexecution import event_log_consumer
    from dagster._daemon.auto_run_reexecution.auto_run_reexecution import filter_runs_to_should_retry, retry_run
    from dagster._daemon.controller import create_daemons_from_instance, daemon_controller_from_instance
    from dagster._daemon.daemon import MonitoringDaemon
    from dagster._daemon.types import DaemonHeartbeat
    from dagster._grpc.client import DagsterGrpcClient
    from dagster._scheduler.scheduler import launch_scheduled_runs

HELD_FOR = "1.13"  # the Dagster release for which these names were checked; a test compares

# What a code server and a daemon import before they load a location. Nothing of it starts a thread.
CODE_SERVER_LIBRARIES = (
    "dagster._cli.api",
    "dagster._grpc.server",
    "dagster._daemon.controller",
)

# What only the process of a run, a webserver or a daemon needs: with it a location would load a tenth longer.
_IMPORTED_WHEN_ASKED_FOR = {
    "dagster._cli.api": ("_execute_run_command_body", "_execute_step_command_body", "_resume_run_command_body"),
    "dagster._cli.proxy_server_manager": ("ProxyServerManager",),
    "dagster._core.execution.backfill": ("BulkActionStatus", "BulkActionsFilter"),
    "dagster._core.storage": ("sql",),
    "dagster._core.storage.event_log.schema": ("SqlEventLogStorageTable",),
    "dagster._core.storage.event_log.sqlite.sqlite_event_log": ("INDEX_SHARD_NAME", "SqliteEventLogStorage"),
    "dagster._core.workspace.context": (
        "BaseWorkspaceRequestContext",
        "WorkspaceProcessContext",
        "WorkspaceRequestContext",
    ),
    "dagster._core.workspace.load_target": (
        "InProcessWorkspaceLoadTarget",
        "WorkspaceFileTarget",
        "WorkspaceLoadTarget",
    ),
    "dagster._core.workspace.permissions": ("EDITOR_PERMISSIONS", "LOCATION_SCOPED_PERMISSIONS", "PermissionResult"),
    "dagster._daemon.auto_run_reexecution": ("event_log_consumer",),
    "dagster._daemon.auto_run_reexecution.auto_run_reexecution": ("filter_runs_to_should_retry", "retry_run"),
    "dagster._daemon.controller": ("create_daemons_from_instance", "daemon_controller_from_instance"),
    "dagster._daemon.daemon": ("MonitoringDaemon",),
    "dagster._daemon.types": ("DaemonHeartbeat",),
    "dagster._grpc.client": ("DagsterGrpcClient",),
    "dagster._scheduler.scheduler": ("launch_scheduled_runs",),
}
_MODULE_OF = {name: module for module, names in _IMPORTED_WHEN_ASKED_FOR.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(__import__(_MODULE_OF[name], fromlist=[name]), name)
