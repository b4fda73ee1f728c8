"""The job of a location in which the trials of its sweeps run: one step, which the executor spreads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

SWEEP_JOB = "headrace_sweep"


def sweep_job(assets: Sequence[Any], resources: Mapping[str, Any]) -> dg.JobDefinition:
    """The job for sweeps over these assets. Its runs are told by a tag which sweep they work at."""

    out = {"none": dg.Out(dg.Nothing, is_required=False)}

    @dg.op(name="trials", out=out, description="Each trial computes the asset once, and keeps its value beside it.")
    def trials(context: dg.OpExecutionContext) -> Iterator[Any]:
        from platform_core.trials.taking import take_trials  # which speaks SQL, as loading a location does not

        take_trials(context, assets, resources)
        yield from ()

    @dg.job(name=SWEEP_JOB, description="The trials of `headrace sweep`, which starts it.")
    def job() -> None:
        trials()

    return job
