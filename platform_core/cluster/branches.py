"""Branches in a cluster: each in a Kubernetes namespace of its own, which goes when the branch is closed."""

import json
import os
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from platform_core.cluster.kubectl import ClusterError, Kubectl
from platform_core.cluster.kustomizations import NAMESPACE_LABEL, SERVER, SERVER_EXTRAS, ClusterDeployment, branch_texts
from platform_core.cluster.settings import BRANCH, cluster_settings
from platform_core.environments.images.names import image_of
from platform_core.kubernetes_names import MANAGED, SECRET, core_namespace, label_value, namespaces_of_locations
from platform_core.locations import all_locations
from platform_core.namespaces import Namespace
from platform_core.settings import as_if_in

SECRETS = "headrace-branches"  # the Kubernetes namespace whose Secret each branch gets a copy of
PRODUCTION = Path("overlays", "production")
_DEPLOY = Path("deploy", "kubernetes")


def url_in_cluster(namespace: Namespace) -> str:
    """Where a branch is seen; how to get there, where no address was set."""
    if pattern := cluster_settings().cluster_ui:
        return pattern.replace(BRANCH, namespace.name).rstrip("/") + "/"
    return f"http://127.0.0.1:3000/ after kubectl -n {core_namespace(namespace)} port-forward service/webserver 3000:80"


def deploy_branch(namespace: Namespace, code: Path, owner: str, expires: int | None) -> None:
    """Applies a branch, whose images were built from its code, and waits until it stands. Again, it follows the code.

    Args:
        expires: when the branch may be closed, in seconds of Unix time.

    Raises:
        ClusterError: the cluster did not take it, or it does not come to stand.
    """
    kubectl, patience = _kubectl(), cluster_settings().cluster_patience
    secret = _secret(kubectl, namespace)
    manifests = manifests_of(kubectl, namespace, code, owner, expires)
    things = list(yaml.safe_load_all(manifests))
    (space,) = [thing for thing in things if thing["kind"] == "Namespace"]
    kubectl.apply(yaml.safe_dump_all([space, secret]))
    kubectl.apply(manifests)
    for thing in things:
        if thing["kind"] == "Deployment":
            kubectl.await_rollout(space["metadata"]["name"], thing["metadata"]["name"], patience)


def remove_branch(namespace: Namespace) -> None:
    """Removes all that a branch has in the cluster: its Kubernetes namespace, where that is the branch's."""
    kubectl = _kubectl()
    for name in kubectl.names("namespace", _selector(namespace)):
        kubectl.delete(name)


def left_in_cluster(closed: Collection[Namespace]) -> list[Namespace]:
    """Of branches that were closed, those of which the cluster still has something."""
    there = _kubectl().labels("namespace", NAMESPACE_LABEL, _managed())
    return [namespace for namespace in closed if label_value(str(namespace)) in there]


def manifests_of(kubectl: Kubectl, namespace: Namespace, code: Path, owner: str, expires: int | None) -> str:
    """What a branch consists of, as text."""
    with as_if_in({"HEADRACE_REPOSITORY": str(code)}):
        names = [location.name for location in all_locations()]
        images = {name: image_of(name) for name in names} | {"server": image_of(SERVER, SERVER_EXTRAS)}
    labels = {"headrace/owner": label_value(owner)} | ({"headrace/expires": str(expires)} if expires else {})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        there = Path(os.path.relpath((code / _DEPLOY).resolve(), root))
        ways = tuple(str(there / part) for part in (PRODUCTION / "own", Path("overlays", "branch")))
        owners = dict.fromkeys(names, owner)
        deployment = ClusterDeployment(namespace, owners, images, str(there / "base"), ways, labels)
        texts = branch_texts(deployment, str(there / PRODUCTION), _settings(namespace))
        for path, text in (texts | _ingress(texts, namespace)).items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        return kubectl.built(root)


def _settings(namespace: Namespace) -> dict[str, str]:
    return {
        "HEADRACE_NAMESPACE": str(namespace),
        "HEADRACE_RUNS_NAMESPACE": namespaces_of_locations(namespace),
        "HEADRACE_UI": url_in_cluster(namespace).rstrip("/") if cluster_settings().cluster_ui else "",
        "HEADRACE_IMAGE_DIGESTS": "",  # its images are named by what is in them, and nothing else is promised
        "DAGSTER_CLOUD_IS_BRANCH_DEPLOYMENT": "1",  # what other libraries ask to find out where they are
        "DAGSTER_CLOUD_DEPLOYMENT_NAME": str(namespace),
    }


def _ingress(texts: dict[str, str], namespace: Namespace) -> dict[str, str]:
    """The way in, where branches have addresses; whose class and annotations are the installation's own patches."""
    if not cluster_settings().cluster_ui:
        return {}
    backend = {"service": {"name": "webserver", "port": {"name": "http"}}}
    rule = {"host": urlsplit(url_in_cluster(namespace)).hostname}
    rule |= {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}  # type: ignore[dict-item]
    thing = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "webserver"}}
    core = yaml.safe_load(texts["core/kustomization.yaml"])
    core["resources"].append("ingress.yaml")
    return {
        "core/ingress.yaml": yaml.safe_dump(thing | {"spec": {"rules": [rule]}}),
        "core/kustomization.yaml": yaml.safe_dump(core, sort_keys=False),
    }


def _secret(kubectl: Kubectl, namespace: Namespace) -> dict[str, Any]:
    """What the processes of branches may know, which is not what production's may."""
    found = kubectl.found("secret", SECRET, SECRETS)
    if not found:
        raise ClusterError(
            f"There is no Secret {SECRET} in the Kubernetes namespace {SECRETS}, of which each branch gets a copy: make"
            " one with HEADRACE_CATALOG and HEADRACE_DAGSTER of a role that cannot write to production."
        )
    said = json.loads(found)
    labels = {**MANAGED, NAMESPACE_LABEL: label_value(str(namespace))}
    metadata = {"name": SECRET, "namespace": core_namespace(namespace), "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": said["type"], "data": said["data"]}


def _selector(namespace: Namespace) -> str:
    """Chooses what was made for a branch, and nothing else."""
    return f"{_managed()},{NAMESPACE_LABEL}={label_value(str(namespace))}"


def _managed() -> str:
    return ",".join(f"{name}={value}" for name, value in MANAGED.items())


def _kubectl() -> Kubectl:
    return Kubectl(cluster_settings().cluster)
