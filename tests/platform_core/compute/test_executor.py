"""The executor: one for every location, with the most that may run at once as its only configuration."""

import dagster as dg
import pytest

from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import COMPUTE_TAG, Compute
from tests.platform_core.compute.doubles import Job, ScriptedBackend

AWAY = {COMPUTE_TAG: Compute(backend="batch").to_text()}


@dg.asset(op_tags=AWAY)
def one() -> None: ...


@dg.asset(op_tags=AWAY)
def two() -> None: ...


@dg.asset(op_tags=AWAY)
def three() -> None: ...


@pytest.mark.parametrize(("config", "launches"), [({}, [3]), ({"max_concurrent": 1}, [1, 1, 1])])
def test_no_more_steps_run_at_once_than_the_run_says(config: dict[str, int], launches: list[int]) -> None:
    backend = ScriptedBackend()
    executor = routing_executor(ComputeTable(backends={"batch": lambda: backend})).configured(config, name="it")
    job = Job(one, two, three, executor=executor)
    backend.job = job
    assert job.run()[-1].event_type == dg.DagsterEventType.RUN_SUCCESS
    assert backend.launches == launches
