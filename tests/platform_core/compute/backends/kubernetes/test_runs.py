"""The pods of runs: whose rights they have follows from the location, and from nothing that a team says."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster_k8s.client import (
    WHITELISTED_TRANSIENT_K8S_STATUS_CODES,
    DagsterK8sAPIRetryLimitExceeded,
    DagsterK8sUnrecoverableAPIError,
    DagsterKubernetesClient,
)
from kubernetes.client import ApiException

from platform_core.compute.backends.kubernetes.runs import KubernetesRunLauncher
from platform_core.compute.run_worker import LAUNCH, LAUNCH_TAG
from platform_core.dagster_internals import DagsterEvent, LaunchRunContext, ResumeRunContext, WorkerStatus
from platform_core.instance import prepare_dagster_home
from platform_core.instance_settings import URL
from platform_core.orchestrator.daemons import daemons_of
from platform_core.orchestrator.runs import LocationOrigin
from platform_core.settings import current_settings
from tests.platform_core.compute.doubles import ORIGIN
from tests.repository.tree import ROOT

CLUSTER = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
GREEDY = {"container_config": {"image": "evil"}, "pod_spec_config": {"service_account_name": "runs-airports"}}


@dg.asset
def one() -> None: ...


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance of production, by settings alone."""
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(CLUSTER))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
    told = {"REPOSITORY": str(ROOT), "RUNS": "kubernetes", "RUNS_MEMORY": "3Gi", "NAMESPACE": "production"}
    told["RUNS_POD"] = json.dumps({"pod_spec_config": {"node_selector": {"pool": "runs"}}})
    for name, value in told.items():
        monkeypatch.setenv(f"HEADRACE_{name}", value)
    monkeypatch.setenv(URL, "")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(current_settings()))) as instance:
        yield instance


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The Jobs that would have been made, each with its namespace."""
    found: list[tuple[str, dict[str, Any]]] = []

    def create(client: DagsterKubernetesClient, body: Any, namespace: str, *_: Any, **__: Any) -> None:
        found.append((namespace, client.batch_api.api_client.sanitize_for_serialization(body)))

    monkeypatch.setattr(DagsterKubernetesClient, "create_namespaced_job_with_retries", create)
    return found


def a_run(instance: dg.DagsterInstance, origin: LocationOrigin) -> dg.DagsterRun:
    """One whose code and tags ask for the rights of another team."""
    job = dg.Definitions(assets=[one], jobs=[dg.define_asset_job("all")]).resolve_job_def("all")
    code = origin.seen_by_steps("all")
    greedy = {"k8s": {"namespace": "headrace-airports", "service_account_name": "runs-airports", "env_secrets": ["x"]}}
    said = code.repository_origin._replace(container_image="registry/flights@sha256:1", container_context=greedy)
    return instance.create_run_for_job(
        job,
        tags={"dagster-k8s/config": json.dumps(GREEDY)},
        remote_job_origin=origin.seen_by_webserver("all"),
        job_code_origin=code._replace(repository_origin=said),
    )


def test_a_run_has_the_rights_of_its_location_whatever_its_code_and_its_tags_ask_for(
    instance: dg.DagsterInstance, made: list[tuple[str, dict[str, Any]]]
) -> None:
    run = a_run(instance, replace(ORIGIN, location="flights"))
    assert isinstance(instance.run_launcher, KubernetesRunLauncher)
    instance.run_launcher.launch_run(LaunchRunContext(run, None))
    ((namespace, job),) = made
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (namespace, pod["serviceAccountName"]) == ("headrace-flights", "runs-flights")
    assert container["image"] == "registry/flights@sha256:1"
    assert container["envFrom"] == [
        {"configMapRef": {"name": "settings-of-runs-flights"}},
        {"secretRef": {"name": "headrace"}},
    ]
    assert pod["nodeSelector"] == {"pool": "runs"}


def test_the_pod_of_a_run_knows_by_which_launch_it_is_there(
    instance: dg.DagsterInstance, made: list[tuple[str, dict[str, Any]]]
) -> None:
    run = a_run(instance, replace(ORIGIN, location="flights"))
    launcher = instance.run_launcher
    assert isinstance(launcher, KubernetesRunLauncher)
    launcher.launch_run(LaunchRunContext(run, None))
    launcher.resume_run(ResumeRunContext(run, None, 1))
    found = instance.get_run_by_id(run.run_id)
    told = [
        {one["name"]: one.get("value") for one in job["spec"]["template"]["spec"]["containers"][0]["env"]}
        for _, job in made
    ]
    assert found is not None
    assert told[0][LAUNCH] != told[1][LAUNCH] == found.tags[LAUNCH_TAG]


def refusing(status: int) -> Exception:
    """What Dagster's library raises once it has tried often enough, or sees no use in trying."""
    given_up: Any = DagsterK8sAPIRetryLimitExceeded
    refused: Any = DagsterK8sUnrecoverableAPIError
    told = {"k8s_api_exception": ApiException(status=status, reason="no"), "original_exc_info": (Exception, None, None)}
    if status in WHITELISTED_TRANSIENT_K8S_STATUS_CODES:
        return given_up("tried", max_retries=3, **told)  # type: ignore[no-any-return]
    return refused("no use", **told)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("status", "then"), [(503, "QUEUED"), (429, "QUEUED"), (403, "FAILURE")])
def test_a_run_waits_in_the_queue_for_a_cluster_that_is_away(
    instance: dg.DagsterInstance,
    made: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    then: str,
) -> None:
    run = a_run(instance, replace(ORIGIN, location="flights"))
    instance.report_dagster_event(DagsterEvent.job_enqueue(run), run_id=run.run_id)
    moments = [time.time() + 60 * minute for minute in (0, 2)]
    with monkeypatch.context() as away:

        def refuse(*_: Any, **__: Any) -> None:
            raise refusing(status)

        away.setattr(DagsterKubernetesClient, "create_namespaced_job_with_retries", refuse)
        dequeue(instance, moments[0])
    assert status_of(instance, run) == then
    assert made == []
    dequeue(instance, moments[1])
    assert len(made) == (then == "QUEUED")


def dequeue(instance: dg.DagsterInstance, at: float) -> None:
    """One look of the part of the daemon that launches runs."""
    [queue] = [daemon for daemon in daemons_of(instance) if daemon.daemon_type() == "QUEUED_RUN_COORDINATOR"]
    workspace = SimpleNamespace(instance=instance, create_request_context=lambda: None)
    list(queue.run_iteration(workspace, fixed_iteration_time=at))


def status_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    found = instance.get_run_by_id(run.run_id)
    return found.status.value if found else ""


def test_a_cluster_that_does_not_answer_says_nothing_of_a_runs_worker(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster resumes a run of whose worker nothing is known, which fails as well, and with that the run."""

    def refuse(*_: Any, **__: Any) -> None:
        raise refusing(503)

    run = a_run(instance, replace(ORIGIN, location="flights"))
    monkeypatch.setattr(DagsterKubernetesClient, "get_job_status", refuse)
    assert instance.run_launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    monkeypatch.setattr(DagsterKubernetesClient, "get_job_status", lambda *_, **__: None)
    assert instance.run_launcher.check_run_worker_health(run).status == WorkerStatus.NOT_FOUND


def test_a_machine_may_have_to_come_for_a_run(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_start_timeout_seconds == 900


def test_a_run_is_as_narrow_as_everything_else(
    instance: dg.DagsterInstance, made: list[tuple[str, dict[str, Any]]]
) -> None:
    instance.run_launcher.launch_run(LaunchRunContext(a_run(instance, replace(ORIGIN, location="flights")), None))
    ((_, job),) = made
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["resources"]["limits"] == {"memory": "3Gi"}
    assert container["command"] == ["python", "-m", "platform_core.process", "run"]
    assert container["args"][-2] == "execute_run"
    told = {one["name"]: one.get("value") for one in container["env"]}
    assert told["HEADRACE_KUBERNETES_SERVICE_ACCOUNT"] == "steps-flights"
    assert "DAGSTER_HOME" not in told or told["DAGSTER_HOME"]
    assert job["metadata"]["labels"]["headrace/namespace"] == "production"
    assert job["spec"]["backoffLimit"] == 0


def test_what_opens_an_instance_need_not_be_in_a_cluster(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code servers and steps do, and have no token."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "nowhere")
    launcher = instance.run_launcher
    assert isinstance(launcher, KubernetesRunLauncher)
    assert launcher.supports_resume_run
    assert launcher.supports_check_run_worker_health
