"""The location flights with one more fact, which tells when its first line was reached."""

import sys
from pathlib import Path

import dagster as dg

from code_locations.flights import facts, features, models, sql
from platform_core import Compute, build_location, fact
from platform_core.compute.attempts import STEP_VARIABLE
from platform_core.compute.handed_on import variables_of_what_was_found
from platform_core.compute.requests import StepRequest
from platform_core.compute.worker import pack
from platform_core.dagster_internals import KnownExecutionState, serialize_value
from platform_core.orchestrator.runs import LocationOrigin
from resources.by_deployment import shared_resources
from resources.compute import compute_table

KEY, STEP = dg.AssetKey(["flights", "first_line"]), "flights__first_line"
FIRST_LINE = "import time; print('first line at', time.time(), 'after', time.process_time(), flush=True)"


@fact(key_prefix="flights", compute=Compute(cpu=1))
def first_line() -> int:
    exec(FIRST_LINE)  # the very line that the pod without a step executes
    return 1


defs = build_location(
    "flights",
    [facts, sql, features, models, sys.modules[__name__]],
    resources=shared_resources(),
    compute=compute_table(),
)


def variables_of_a_step(instance: dg.DagsterInstance) -> dict[str, str]:
    """What a worker needs in its environment to execute the step in a new run."""
    job = defs.resolve_implicit_global_asset_job_def()
    origin = LocationOrigin("flights", __name__, "defs", Path(sys.executable))
    run = instance.create_run_for_job(
        job,
        run_config={"loggers": {"console": {}}},
        asset_selection=frozenset([KEY]),
        remote_job_origin=origin.seen_by_webserver(job.name),
        job_code_origin=origin.seen_by_steps(job.name),
    )
    request = StepRequest(
        run=run.run_id,
        step=STEP,
        known=serialize_value(KnownExecutionState()),
        retries="disabled",
        instance=serialize_value(instance.get_ref()),
    )
    return {STEP_VARIABLE: pack(request.to_text()), "DAGSTER_RUN_STEP_KEY": STEP, **variables_of_what_was_found()}
