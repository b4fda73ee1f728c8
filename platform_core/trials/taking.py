"""What one process of a sweep's run has to do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.sweep_values import Sweep
from platform_core.compute.fan_out import SWEEP_TAG, WORKER_TAG
from platform_core.compute.sweep_fan import NOT_TRIED, TRIAL, claims_of
from platform_core.environments.frozen import environment_here
from platform_core.io_manager import sentences
from platform_core.provenance import git_commit
from platform_core.settings import current_settings
from platform_core.trials.subject import instance_in_memory
from platform_core.trials.working import Worker


def take_trials(context: dg.OpExecutionContext, assets: Sequence[Any], resources: Mapping[str, Any]) -> None:
    """Tries what is this process's part of the sweep that its run works at."""
    with sentences():
        sweep = _sweep(context)
        numbers = _numbers(sweep, context.run.tags[WORKER_TAG], context.run_id)
        Worker(sweep, assets, resources, numbers, context.run_id, context.log.info).work()


def warm_up(asset: str) -> None:
    """Finds out what all processes of a run need to know, in the one that they are forked from."""
    instance_in_memory()
    git_commit(current_settings().repository)
    environment_here(asset.partition("/")[0])


def _sweep(context: dg.OpExecutionContext) -> Sweep:
    id = context.run.tags.get(SWEEP_TAG)
    if id is None or WORKER_TAG not in context.run.tags:
        raise dg.Failure(f"{NOT_TRIED}start sweeps with `headrace sweep`.", allow_retries=False)
    return open_catalog(current_settings().catalog).sweep(id)


def _numbers(sweep: Sweep, worker: str, run_id: str) -> Iterator[int]:
    """The trials of a process: its own one, or those that nobody else of its run takes."""
    ended = open_catalog(current_settings().catalog).ended_trials(sweep.id)
    if worker.startswith(TRIAL):
        yield from {int(worker.removeprefix(TRIAL))} - ended
        return
    claims = claims_of(run_id)
    for number in range(1, sweep.request["count"] + 1):
        if number not in ended and claims.take(number, worker):
            yield number
