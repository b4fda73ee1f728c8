"""Images that people named, tried in a real engine before the first step of a run."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.container.backend import ContainerBackend
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import COMPUTE_TAG, Compute
from platform_core.compute.worker import pack
from platform_core.explanation import explain
from tests.platform_core.compute.backends.container.orders import Heard
from tests.platform_core.compute.doubles import Job
from tests.platform_core.compute.support.images import IMAGE, VARIABLES, VOLUMES

MISSING = f"localhost/headrace/missing@sha256:{'0' * 64}"
KINDS = dg.DagsterEventType


def asset(name: str, image: str, *deps: str) -> dg.AssetsDefinition:
    compute = Compute(backend="container", image=image)

    @dg.asset(name=name, deps=deps, op_tags={COMPUTE_TAG: compute.to_text()})
    def made() -> None: ...

    return made


@pytest.fixture
def with_platform(engine: Any) -> Iterator[ContainerBackend]:
    backend = ContainerBackend(IMAGE, mounts=VOLUMES, options={"network": "none"})
    yield backend
    backend.close()


def test_a_run_with_images_in_which_nothing_starts_starts_nothing(engine: Any) -> None:
    table = ComputeTable(backends={"container": lambda: ContainerBackend(grace=1, options={"network": "none"})})
    job = Job(asset("first", IMAGE), asset("last", MISSING, "first"), executor=routing_executor(table))
    job.run()
    (failure,) = [event for event in job.stored if event.event_type == KINDS.RUN_FAILURE]
    told = explain(failure.job_failure_data.error, None) or ""
    assert f"The image {IMAGE} has no platform inside, so that no step starts in it; use one of" in told
    assert f"The image {MISSING} is not in the container engine and it cannot be fetched (" in told
    assert not [event for event in job.stored if event.event_type == KINDS.STEP_WORKER_STARTING]
    (run,) = job.instance.get_runs()
    assert not [each for each in engine.containers(all=True) if each["Labels"].get("run") == run.run_id]


def test_a_worker_of_the_platform_ends_well_when_only_tried(with_platform: ContainerBackend) -> None:
    assert Heard(with_platform).end_of(pack(""), variables=VARIABLES, step="tried", number=0) == Ending("finished")
