"""Two hundred steps that are all elsewhere, and a run worker that has nothing to do but to know how they are.

`python -m benchmarks.remote_steps` is the run worker. Its steps are jobs of a double of AWS Batch in the process that
starts it, which ends this one once it has measured enough.
"""

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

import dagster as dg

from benchmarks.trivial_steps import QUIET, job_of_steps
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable

if TYPE_CHECKING:
    from platform_core.compute.backends.backend import Backend

STEPS = 200
FOLDER_VARIABLE = "HEADRACE_BENCH_BATCH_FOLDER"


def _batch() -> "Backend":
    from platform_core.compute.backends.batch.backend import BatchBackend

    return BatchBackend(os.environ[FOLDER_VARIABLE], image="some/image", options={"queue": "queue"})


def job() -> dg.JobDefinition:
    return job_of_steps(_executor(), STEPS)


@cache
def _executor() -> dg.ExecutorDefinition:
    return routing_executor(ComputeTable(default="batch", backends={"batch": _batch}))


def main() -> int:
    with dg.DagsterInstance.get() as instance:
        return 0 if dg.execute_job(dg.reconstructable(job), instance, run_config=QUIET).success else 1


if __name__ == "__main__":
    sys.exit(main())
