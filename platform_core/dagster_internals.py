"""The only module that imports private Dagster names. Each function says which public way is missing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

HELD_FOR = "1.13"  # the Dagster release for which these names were checked; a test compares


def stream_run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    selection: Sequence[dg.AssetKey],
    tags: Mapping[str, str],
    origin: RemoteRepositoryOrigin,
) -> Iterator[dg.DagsterEvent]:
    """Runs a selection of a job in this process and gives each event as it happens.

    `execute_in_process` gives its events only at the end, and its runs belong to no code location in the UI.
    """
    run = instance.create_run_for_job(
        job,
        run_config={"loggers": {"console": {}}},  # without it Dagster prints each of its events
        tags={**job.run_tags, **tags},
        asset_selection=frozenset(selection),
        remote_job_origin=origin.get_job_origin(job.name),
    )
    yield from execute_run_iterator(InMemoryJob(job), run, instance)


def location_origin(module: str, location: str, executable: Path) -> RemoteRepositoryOrigin:
    """How the webserver knows the repository of a location that workspace.yaml names with an interpreter."""
    target = LoadableTargetOrigin(executable_path=str(executable), module_name=module)
    origin = ManagedGrpcPythonEnvCodeLocationOrigin(loadable_target_origin=target, location_name=location)
    return RemoteRepositoryOrigin(code_location_origin=origin, repository_name="__repository__")


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """Run tags for one partition, or for the range between the first and the last of several."""
    if not keys:
        return {}
    if len(keys) == 1:
        return {PARTITION_NAME_TAG: keys[0]}
    return {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}


def set_data_version(context: dg.OutputContext, version: str) -> None:
    """Gives the content's hash as the asset's data version. Publicly only the asset's own function could,
    which does not know yet what it is going to be when written."""
    step: StepExecutionContext = context.step_context
    step.set_data_version(context.asset_key, dg.DataVersion(version))
