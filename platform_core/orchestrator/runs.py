"""Runs: begun in this process so that the UI and steps elsewhere know them, worked on, loaded again."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    ActiveExecution,
    ExecuteStepArgs,
    ExecutionPlan,
    IJob,
    InMemoryJob,
    InstanceConcurrencyContext,
    JobPythonOrigin,
    KnownExecutionState,
    LoadableTargetOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    ModuleCodePointer,
    PlanOrchestrationContext,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    RepositoryPythonOrigin,
    RetryMode,
    capture_interrupts,
    execute_run_iterator,
    recon_job_from_origin,
    setup_interrupt_handlers,
)
from platform_core.spared_imports import without_init_of


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


def work_on_run(run_id: str, instance: dg.DagsterInstance, *, resume: bool) -> None:
    """What the processes of `dagster api execute_run` and `resume_run` do, in one that has everything loaded."""
    from platform_core.dagster_internals import (
        _execute_run_command_body,
        _resume_run_command_body,
    )  # 0.1 s, for this alone

    body: Any = _resume_run_command_body if resume else _execute_run_command_body
    setup_interrupt_handlers()
    with capture_interrupts():
        body(run_id, instance, lambda _: None, set_exit_code_on_failure=False)


def execute_step_of(
    run: dg.DagsterRun, instance: dg.DagsterInstance, step: str, retries: RetryMode, known: KnownExecutionState
) -> None:
    """Executes a step as `dagster api execute_step` does, which alone can publicly."""
    with without_init_of("dagster._cli"):  # all of Dagster's commands
        from platform_core.dagster_internals import _execute_step_command_body

    origin: Any = run.job_code_origin
    args = ExecuteStepArgs(origin, run.run_id, [step], None, retries, known)
    for _ in _execute_step_command_body(args, instance, run):
        pass


def job_of(run: dg.DagsterRun) -> IJob:
    """Loads the job of a run, as far as the run has selected it, from where its code is."""
    origin: Any = run.job_code_origin
    job: IJob = recon_job_from_origin(origin).get_subset(
        op_selection=run.resolved_op_selection,
        asset_selection=run.asset_selection,
        asset_check_selection=run.asset_check_selection,
    )
    return job


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
