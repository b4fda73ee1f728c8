"""The Job that an order becomes. Pure: an order in, a manifest as Kubernetes spells it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_core.compute.attempts import STEP_VARIABLE, WORKER, Attempt, Order
from platform_core.compute.backends.kubernetes.options import KubernetesOptions
from platform_core.compute.spec import Compute
from platform_core.compute.worker import GRACE_VARIABLE, TIMEOUT_VARIABLE
from platform_core.errors import DefinitionError
from platform_core.kubernetes_names import MANAGED, label_value

Manifest = dict[str, Any]

CONTAINER = "step"
ATTEMPT_LABEL = "headrace/attempt"
RUN_LABEL = "headrace/run"
EXPIRES_LABEL = "headrace/expires"
START_ALLOWANCE = 900  # seconds for pulling the image, which a pod's own deadline counts and a step's does not
ATTEMPTS_IN_A_CALL = 40  # their ids have to fit into a URL


@dataclass(frozen=True)
class Defaults:
    """What the deployment gives to every Job. Durations are seconds."""

    image: str = ""
    python: str = "python"
    service_account: str = ""
    grace: int = 30
    keep: int = 3600


def attempt_selector(ids: list[str]) -> str:
    """Chooses what was created for attempts, and nothing else."""
    return f"{_managed()},{ATTEMPT_LABEL} in ({','.join(ids)})"


def run_selector(run_id: str) -> str:
    """Chooses what was created for a run, and nothing else."""
    return f"{_managed()},{ATTEMPT_LABEL},{RUN_LABEL}={label_value(run_id)}"


def all_selector() -> str:
    """Chooses what was created for any attempt, whichever run worker did."""
    return f"{_managed()},{ATTEMPT_LABEL},{EXPIRES_LABEL}"


def is_ours(thing: Manifest, attempt: Attempt) -> bool:
    """Whether something in the cluster was created for this attempt."""
    labels = thing["metadata"].get("labels") or {}
    ours = {**MANAGED, ATTEMPT_LABEL: attempt.id, RUN_LABEL: label_value(attempt.run_id)}
    return all(labels.get(name) == value for name, value in ours.items())


def job_manifest(order: Order, defaults: Defaults, options: KubernetesOptions) -> Manifest:
    """The Job of one attempt: one pod, which is started once.

    Raises:
        DefinitionError: the order cannot be a Job.
    """
    metadata = _metadata(order, options)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": order.attempt.id, **metadata},
        "spec": {
            "backoffLimit": 0,  # retries are the executor's, who knows why an attempt ended
            "ttlSecondsAfterFinished": defaults.keep,
            "template": {"metadata": metadata, "spec": _pod_spec(order, defaults, options)},
        },
    }


def secret_manifest(order: Order, values: Mapping[str, str], owner: Manifest) -> Manifest:
    """The values that the run worker hands on itself, in a Secret that goes when its Job goes."""
    from base64 import b64encode

    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": owner["metadata"]["name"]}
    metadata = _metadata(order, KubernetesOptions())
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": order.attempt.id,
            "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}],
            **metadata,
        },
        "data": {name: b64encode(value.encode()).decode() for name, value in values.items()},
    }


def resources(compute: Compute) -> dict[str, str]:
    """What a step needs, as Kubernetes counts it."""
    asked = {
        "cpu": f"{max(1, round(compute.cpu * 1000))}m",
        "memory": compute.memory_bytes,
        "ephemeral-storage": compute.disk_bytes,
        "nvidia.com/gpu": compute.gpu or None,
    }
    return {name: str(amount) for name, amount in asked.items() if amount is not None}


def _metadata(order: Order, options: KubernetesOptions) -> Manifest:
    """Labels to choose by, and the same as annotations, which keep every character, for whoever reads them."""
    said = {name if "/" in name else f"headrace/{name}": value for name, value in order.labels.items()}
    said |= {"headrace/step": order.attempt.step, RUN_LABEL: order.attempt.run_id, ATTEMPT_LABEL: order.attempt.id}
    said |= {"headrace/partition": order.attempt.partition} if order.attempt.partition else {}
    return {
        "labels": {**{name: label_value(value) for name, value in said.items()}, **MANAGED},
        "annotations": {**said, **options.annotations},
    }


def _pod_spec(order: Order, defaults: Defaults, options: KubernetesOptions) -> Manifest:
    account = options.service_account or defaults.service_account
    spec = {
        "restartPolicy": "Never",
        "containers": [_merged(_container(order, defaults, options), options.container)],
        "volumes": [{"name": "tmp", "emptyDir": {}}, *options.volumes],
        "terminationGracePeriodSeconds": defaults.grace,
        "automountServiceAccountToken": options.service_account_token,
        "enableServiceLinks": False,  # else a variable for every service there is
        "securityContext": _pod_security(options),
        "serviceAccountName": account,
        "nodeSelector": options.node_selector,
        "tolerations": list(options.tolerations),
        "priorityClassName": options.priority_class,
        "imagePullSecrets": [{"name": name} for name in options.image_pull_secrets],
        "activeDeadlineSeconds": _deadline(order, defaults),
    }
    return _merged({name: value for name, value in spec.items() if value not in ("", None, [], {})}, options.pod_spec)


def _deadline(order: Order, defaults: Defaults) -> int | None:
    """The worker ends its step in time by itself; this is for a worker that cannot."""
    timeout = order.compute.timeout_seconds
    return None if timeout is None else int(timeout) + defaults.grace + START_ALLOWANCE


def _container(order: Order, defaults: Defaults, options: KubernetesOptions) -> Manifest:
    image = order.compute.image or defaults.image
    if not image:
        raise DefinitionError(
            f"The step {order.attempt.step} has no image to run with: give the Kubernetes backend one with image=...,"
            " or the step with Compute(image=...)."
        )
    needs = resources(order.compute)
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": options.image_pull_policy,
        "command": [defaults.python, *WORKER],
        "env": _variables(order, defaults, options),
        "envFrom": [{"secretRef": {"name": name}} for name in options.env_secrets],
        "resources": {"requests": needs, "limits": needs},
        "securityContext": _security(options),
        "terminationMessagePolicy": "FallbackToLogsOnError",  # some of the log, even when its machine is gone
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, *options.volume_mounts],
    }


def _pod_security(options: KubernetesOptions) -> Manifest:
    user = options.run_as_user
    identity = {"runAsUser": user, "runAsGroup": user, "fsGroup": user, "runAsNonRoot": user != 0}
    return {**identity, "seccompProfile": {"type": "RuntimeDefault"}}


def _security(options: KubernetesOptions) -> Manifest:
    return {
        "allowPrivilegeEscalation": options.privilege_escalation,
        "readOnlyRootFilesystem": not options.writable_root,
        **({} if options.privilege_escalation else {"capabilities": {"drop": ["ALL"]}}),
    }


def _variables(order: Order, defaults: Defaults, options: KubernetesOptions) -> list[Manifest]:
    timeout = order.compute.timeout_seconds
    said = {
        # A user that the image does not know has `/` for a home, where nothing can be written.
        **({} if options.writable_root else {"HOME": "/tmp"}),
        # The step has less than the pod, so that the worker can still say how it ended.
        GRACE_VARIABLE: str(max(1, defaults.grace - 5)),
        **({TIMEOUT_VARIABLE: str(timeout)} if timeout else {}),
        **order.variables,
        STEP_VARIABLE: order.payload,
    }
    # Kubernetes would replace a $(NAME) by the value of another variable.
    plain = [{"name": name, "value": value.replace("$", "$$")} for name, value in said.items()]
    return plain + [_by_reference(order, name, place) for name, place in order.secrets.items()]


def _by_reference(order: Order, variable: str, place: str) -> Manifest:
    secret, slash, key = place.rpartition("/")
    if place and not (secret and slash and key):
        raise DefinitionError(
            f"The secret {variable} of the step {order.attempt.step} is to be found at '{place}': write the name of a"
            " Kubernetes secret, a slash and a key in it."
        )
    reference = {"name": secret, "key": key} if place else {"name": order.attempt.id, "key": variable}
    return {"name": variable, "valueFrom": {"secretKeyRef": reference}}


def _merged(base: Manifest, over: Mapping[str, Any]) -> Manifest:
    """Dictionaries are merged, anything else is replaced."""
    both = {name: _merged(base[name], value) for name, value in over.items() if _mergeable(base.get(name), value)}
    return {**base, **over, **both}


def _mergeable(below: object, above: object) -> bool:
    return isinstance(below, dict) and isinstance(above, Mapping)


def _managed() -> str:
    return ",".join(f"{name}={value}" for name, value in MANAGED.items())
