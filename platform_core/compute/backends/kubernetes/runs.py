"""Launches runs from the webserver and the daemon as Jobs, each in the Kubernetes namespace of its location's team."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import dagster as dg

from platform_core.compute.run_worker import LAUNCH, LAUNCH_TAG, new_launch
from platform_core.dagster_internals import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    DagsterUserCodeUnreachableError,
    LaunchRunContext,
    ResumeRunContext,
    RunLauncher,
    WorkerStatus,
)
from platform_core.kubernetes_names import (
    CONFIG_OF_RUNS,
    IMAGES,
    MANAGED,
    SECRET,
    account_of,
    label_value,
    namespace_of,
)
from platform_core.settings import current_settings

HOME = "/var/headrace"
ETC = "/etc/headrace"
BUSY = 429  # the API asks to be left alone for a while
NOT_THERE = "could not be found"  # in the words of Dagster's library
WRAPPER = ("python", "-m", "platform_core.process", "run")


class KubernetesRunLauncher(RunLauncher[Any], ConfigurableClass):
    """Dagster's launcher, which asks neither a code server nor the tags of a run what its pod may be.

    Where Dagster's own does, whoever writes code for one location, or launches one run, could have a pod with the
    rights and secrets of another team. Each process that opens the instance makes one: code servers and steps, which
    launch nothing and may not ask the cluster anything, among them.

    Args:
        namespaces: the Kubernetes namespace of a location, `{location}` standing for its name.
        memory: how much a run worker may take.
        pod: what is merged over the container (`container_config`) and the pod (`pod_spec_config`) of each run.
    """

    def __init__(
        self,
        namespaces: str,
        memory: str,
        pod: Mapping[str, Any] | None = None,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        self._namespaces, self._memory, self._pod = namespaces, memory, dict(pod or {})
        self._inst_data = inst_data
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {
            "namespaces": dg.Field(str),
            "memory": dg.Field(str),
            "pod": dg.Field(dict, is_required=False),
        }

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> "KubernetesRunLauncher":
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        with _back_in_the_queue_when_away():
            self._jobs.launch_run(context._replace(dagster_run=self._noted(context.dagster_run)))

    def terminate(self, run_id: str) -> bool:
        return bool(self._jobs.terminate(run_id))

    @property
    def supports_resume_run(self) -> bool:
        return True

    def resume_run(self, context: ResumeRunContext) -> None:
        self._jobs.resume_run(context._replace(dagster_run=self._noted(context.dagster_run)))

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Of a Job that is not there the worker is gone; of one that could not be asked after nothing is known.

        Dagster takes a run for dead whose worker it cannot see: while the API is away, it would fail all of them.
        """
        found: CheckRunHealthResult = self._jobs.check_run_worker_health(run)
        if found.status != WorkerStatus.UNKNOWN:
            return found
        is_gone = (found.msg or "").endswith(NOT_THERE)
        return found._replace(status=WorkerStatus.NOT_FOUND if is_gone else WorkerStatus.RUNNING)

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:
        told: str | None = self._jobs.get_run_worker_debug_info(run, include_container_logs)
        return told

    def _noted(self, run: dg.DagsterRun) -> dg.DagsterRun:
        """The run with its new launch, which its pod is told of and compares with the last one there was."""
        new_launch(self._instance, run.run_id)
        found = self._instance.get_run_by_id(run.run_id)
        return found or run

    @cached_property
    def _jobs(self) -> Any:
        made = _launcher_of_jobs(self.context_of)
        made.register_instance(self._instance)
        return made

    def context_of(self, run: dg.DagsterRun) -> list[dict[str, Any]]:
        """What the pod of a run is, in the words of Dagster's library; what comes later is merged over the former."""
        pod = run_pod(location_of(run), current_settings().namespace, self._namespaces, self._memory)
        launch = [{"name": LAUNCH, "value": run.tags[LAUNCH_TAG]}] if LAUNCH_TAG in run.tags else []
        return [{**pod, "env": [*pod["env"], *launch]}, {"run_k8s_config": self._pod}]


def _launcher_of_jobs(context_of: Callable[[dg.DagsterRun], list[dict[str, Any]]]) -> Any:
    from dagster_k8s import K8sRunLauncher
    from dagster_k8s.container_context import K8sContainerContext

    class Launcher(K8sRunLauncher):
        def get_container_context_for_run(self, dagster_run: dg.DagsterRun) -> K8sContainerContext:
            contexts = [K8sContainerContext.create_from_config({"k8s": one}) for one in context_of(dagster_run)]
            return contexts[0].merge(contexts[1])

    inside = "KUBERNETES_SERVICE_HOST" in os.environ
    return Launcher(service_account_name="", instance_config_map="", dagster_home="", load_incluster_config=inside)


@contextmanager
def _back_in_the_queue_when_away() -> Iterator[None]:
    """Tells the queue of a cluster that does not answer as of a code server that does not, for which it waits (see
    `run_queue` in dagster.yaml): a run that cannot be launched for another reason has failed.
    """
    from dagster_k8s.client import DagsterK8sAPIRetryLimitExceeded, DagsterK8sUnrecoverableAPIError

    try:
        yield
    except (DagsterK8sAPIRetryLimitExceeded, DagsterK8sUnrecoverableAPIError) as error:
        reason = error.k8s_api_exception
        if isinstance(error, DagsterK8sUnrecoverableAPIError) and getattr(reason, "status", 0) != BUSY:
            raise
        raise DagsterUserCodeUnreachableError(f"The cluster did not make the Job of the run: {reason}") from error


def location_of(run: dg.DagsterRun) -> str:
    """The location of a run, as webserver and daemon know it: not what its code says of itself."""
    origin = run.remote_job_origin
    if origin is None:
        raise ValueError(f"The run {run.run_id} was not launched from a workspace, so that nobody knows its location.")
    return origin.location_name


def run_pod(location: str, namespace: str, namespaces: str, memory: str) -> dict[str, Any]:
    """The context in which Dagster's library makes the Job of a run: whose rights it has, and how little else."""
    labels = {"headrace/namespace": label_value(namespace), "headrace/location": label_value(location), **MANAGED}
    where = {"name": "HEADRACE_KUBERNETES_NAMESPACE", "value_from": {"field_ref": {"field_path": "metadata.namespace"}}}
    plain = {
        "HEADRACE_HOME": HOME,
        "HOME": "/tmp",
        "HEADRACE_KUBERNETES_SERVICE_ACCOUNT": account_of("steps", location),
    }
    return {
        "namespace": namespace_of(location, namespaces),
        "service_account_name": account_of("runs", location),
        "image_pull_policy": "IfNotPresent",
        "labels": labels,
        "env_config_maps": [account_of(CONFIG_OF_RUNS, location)],
        "env_secrets": [SECRET],
        "env": [where, *({"name": name, "value": value} for name, value in plain.items())],
        "resources": {"requests": {"cpu": "250m", "memory": memory}, "limits": {"memory": memory}},
        "security_context": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumes": [
            {"name": "home", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "images", "configMap": {"name": account_of(IMAGES, location)}},
        ],
        "volume_mounts": [
            {"name": "home", "mountPath": HOME},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "images", "mountPath": ETC, "readOnly": True},
        ],
        "run_k8s_config": {
            "container_config": {"command": list(WRAPPER)},
            "pod_spec_config": {"security_context": _nobody(), "enable_service_links": False},
            # A machine that is to be drained waits for it: its run could go on, but its steps may be hours old.
            "pod_template_spec_metadata": {
                "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
            },
            "job_spec_config": {"backoff_limit": 0, "ttl_seconds_after_finished": 3600},  # the daemon resumes runs
        },
    }


def _nobody() -> dict[str, Any]:
    ids = dict.fromkeys(("run_as_user", "run_as_group", "fs_group"), 1000)
    return {"run_as_non_root": True, **ids, "seccomp_profile": {"type": "RuntimeDefault"}}
