"""The Job that an order becomes."""

import re
from collections.abc import Mapping
from typing import Any

import kubernetes.client
import pytest
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.attempts import WORKER, Attempt, Order
from platform_core.compute.backends.kubernetes.manifest import (
    Defaults,
    attempt_selector,
    is_ours,
    job_manifest,
    run_selector,
    secret_manifest,
)
from platform_core.compute.backends.kubernetes.options import KubernetesOptions
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from platform_core.errors import DefinitionError
from platform_core.kubernetes_names import label_value
from tests.platform_core.compute.backends.kubernetes.fake_api import chosen

DEFAULTS = Defaults(image="registry/flights@sha256:0", service_account="steps", grace=30, keep=3600)
LABELS = {"namespace": "user/tess", "owner": "Team A <a@example.com>", "expires": "1790000000"}
EVERYTHING: dict[str, Any] = {
    "namespace": "farm",
    "node_selector": {"gpu": "h100"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "service_account": "trainers",
    "service_account_token": True,
    "image_pull_policy": "Always",
    "image_pull_secrets": ["registry"],
    "priority_class": "low",
    "env_secrets": ["keys"],
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    "volume_mounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    "run_as_user": 0,
    "writable_root": True,
    "privilege_escalation": True,
    "pod_spec": {"hostNetwork": True, "securityContext": {"fsGroup": 7}},
    "container": {"securityContext": {"capabilities": {"add": ["IPC_LOCK"]}}},
}


def an_order(compute: Compute | None = None, **more: Any) -> Order:
    compute = compute or Compute(cpu=1.5, memory="4GiB", gpu=2, disk="10GiB", timeout="1h")
    return Order(Attempt("run-1", "flights/weather"), compute, Profile(), "payload", labels=LABELS, **more)


def manifest(order: Order | None = None, **options: Any) -> dict[str, Any]:
    return job_manifest(order or an_order(), DEFAULTS, KubernetesOptions.of(options))


def pod_spec(order: Order | None = None, **options: Any) -> Any:
    return manifest(order, **options)["spec"]["template"]["spec"]


def container(order: Order | None = None, **options: Any) -> Any:
    return pod_spec(order, **options)["containers"][0]


def variables(order: Order) -> Mapping[str, Any]:
    return {one["name"]: one.get("value") or one["valueFrom"] for one in container(order)["env"]}


def as_model(model: Any, found: dict[str, Any]) -> Any:
    """The manifest as dagster-k8s reads it, which knows every field of the API and refuses any other."""
    return k8s_model_from_dict(model, k8s_snake_case_dict(model, found))


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_a_manifest_has_only_fields_that_kubernetes_knows(options: dict[str, Any]) -> None:
    order = an_order(secrets={"API": "keys/api", "OWN": ""}, variables={"A": "b"})
    job = as_model(kubernetes.client.V1Job, manifest(order, **options))
    assert job.spec.template.spec.restart_policy == "Never"
    assert job.spec.backoff_limit == 0
    assert job.spec.ttl_seconds_after_finished == 3600


def test_the_worker_runs_with_what_the_step_needs() -> None:
    step = container()
    needs = {"cpu": "1500m", "memory": str(4 << 30), "nvidia.com/gpu": "2", "ephemeral-storage": str(10 << 30)}
    assert step["command"] == ["python", *WORKER]
    assert step["image"] == "registry/flights@sha256:0"
    assert step["resources"] == {"requests": needs, "limits": needs}


def test_what_the_step_leaves_open_is_not_limited() -> None:
    assert container(an_order(Compute(cpu=0.1)))["resources"]["limits"] == {"cpu": "100m"}
    assert "activeDeadlineSeconds" not in pod_spec(an_order(Compute()))


def test_the_pod_has_few_rights_unless_its_profile_gives_more() -> None:
    assert pod_spec()["securityContext"]["runAsNonRoot"]
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod_spec()["automountServiceAccountToken"]
    assert {"name": "tmp", "mountPath": "/tmp"} in container()["volumeMounts"]
    relaxed = container(**EVERYTHING)["securityContext"]
    assert relaxed["allowPrivilegeEscalation"]
    assert not relaxed["readOnlyRootFilesystem"]
    assert relaxed["capabilities"] == {"add": ["IPC_LOCK"]}
    assert pod_spec(**EVERYTHING)["securityContext"]["fsGroup"] == 7
    assert not pod_spec(**EVERYTHING)["securityContext"]["runAsNonRoot"]


def test_variables_arrive_as_they_are_and_secrets_by_reference() -> None:
    order = an_order(variables={"ODD": "$(PATH)"}, secrets={"API": "my/keys/api", "OWN": ""})
    seen = variables(order)
    assert seen["ODD"] == "$$(PATH)", "which Kubernetes turns back into $(PATH)"
    assert seen["HEADRACE_STEP"] == "payload"
    assert seen["HEADRACE_STEP_TIMEOUT"] == "3600.0"
    assert int(seen["HEADRACE_STEP_GRACE"]) < 30
    assert seen["API"] == {"secretKeyRef": {"name": "my/keys", "key": "api"}}
    assert seen["OWN"] == {"secretKeyRef": {"name": order.attempt.id, "key": "OWN"}}


def test_a_secret_without_a_key_is_refused() -> None:
    with pytest.raises(DefinitionError, match="name of a Kubernetes secret, a slash and a key"):
        manifest(an_order(secrets={"API": "keys"}))


def test_a_step_without_an_image_is_refused() -> None:
    with pytest.raises(DefinitionError, match="has no image to run with"):
        job_manifest(an_order(), Defaults(), KubernetesOptions())


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(DefinitionError, match="Did you mean node_selector"):
        KubernetesOptions.of({"nodeselector": {}})


def test_labels_choose_and_annotations_remember() -> None:
    order = an_order()
    job = manifest(order)
    for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
        assert metadata["annotations"]["headrace/owner"] == "Team A <a@example.com>"
        assert metadata["labels"]["headrace/expires"] == "1790000000"
    assert job["metadata"]["name"] == order.attempt.id
    assert is_ours(job, order.attempt)
    assert not is_ours(job, Attempt("run-2", "flights/weather"))
    assert chosen(job, run_selector("run-1"))
    assert not chosen(job, run_selector("run-2"))
    assert chosen(job, attempt_selector(["x", order.attempt.id]))


def test_the_secret_of_an_attempt_goes_with_its_job() -> None:
    job = manifest()
    job["metadata"]["uid"] = "1-2-3"
    secret = as_model(kubernetes.client.V1Secret, secret_manifest(an_order(), {"OWN": "hush"}, job))
    assert secret.metadata.owner_references[0].uid == "1-2-3"
    assert secret.data == {"OWN": "aHVzaA=="}


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_text_becomes_a_label_value_of_its_own(one: str, other: str) -> None:
    value = label_value(one)
    assert not value or re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", value)
    assert (value == label_value(other)) == (one == other)
