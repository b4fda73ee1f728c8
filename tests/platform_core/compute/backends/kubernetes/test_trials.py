"""Images that assets name, tried on a real cluster before the first step of a run."""

import dagster as dg

from platform_core.compute.backends.kubernetes.backend import KubernetesBackend
from platform_core.compute.executor import routing_executor
from platform_core.compute.placement import ComputeTable
from platform_core.compute.spec import COMPUTE_TAG, Compute
from platform_core.explanation import explain
from tests.platform_core.compute.doubles import Job
from tests.platform_core.compute.support.cluster import KubernetesNamespace
from tests.platform_core.compute.support.images import IMAGE

MISSING = f"localhost/headrace/missing@sha256:{'0' * 64}"


def asset(name: str, image: str, *deps: str) -> dg.AssetsDefinition:
    compute = Compute(backend="kubernetes", cpu=0.1, image=image)

    @dg.asset(name=name, deps=deps, op_tags={COMPUTE_TAG: compute.to_text()})
    def made() -> None: ...

    return made


def test_a_run_with_images_in_which_nothing_starts_starts_nothing(kubernetes_namespace: KubernetesNamespace) -> None:
    space = kubernetes_namespace
    table = ComputeTable(
        backends={"kubernetes": lambda: KubernetesBackend(namespace=space.name, grace="4s", start_patience="3s")}
    )
    job = Job(asset("first", IMAGE), asset("last", MISSING, "first"), executor=routing_executor(table))
    job.run()
    (failure,) = [event for event in job.stored if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    told = explain(failure.job_failure_data.error, None) or ""
    assert f"The image {IMAGE} has no platform inside, so that no step starts in it; use one of" in told
    assert MISSING in told
    assert not [event for event in job.stored if event.event_type == dg.DagsterEventType.STEP_WORKER_STARTING]
    (run,) = job.instance.get_runs()
    space.wait(lambda: not [pod for pod in space.pods() if pod.metadata.labels.get("headrace/run") == run.run_id])
