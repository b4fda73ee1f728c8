"""An installation in a real cluster whose node is this machine: PostgreSQL and store beside it, the rest in pods.

The cluster has no registry: pods run an image with a Python, and see repository and libraries where they are here. A
bare one resolves no names either, and `Network` does what its network plugin does not. All the rest is production's.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import make_url

from platform_core.cluster.kubectl import Kubectl
from platform_core.cluster.kustomizations import ClusterDeployment, production_texts
from platform_core.kubernetes_names import (
    CODE_PORT,
    SECRET,
    account_of,
    core_namespace,
    namespace_of,
    namespaces_of_locations,
)
from platform_core.namespaces import PRODUCTION, Namespace
from tests.deploy.network import Network
from tests.deploy.reaching import PATIENCE, Forward, PodPorts, wait_for
from tests.deploy.small_production import API_PORT, OWNERS, Places, write_repository
from tests.platform_core.access.test_tokens import KEY, jwk
from tests.platform_core.compute.support.cluster import HOST, IS_BARE
from tests.platform_core.compute.support.images import IMAGE
from tests.platform_core.postgres import running_postgres

PROCESSES = ("webserver", "daemon", "metrics", "code")
SCRAPING = "of-prometheus"


@dataclass
class Installation(Places):
    """Production in the cluster, and what stands for the services around it."""

    core: Any
    stack: ExitStack
    network: Network | None
    ports: PodPorts
    variables: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)

    def service(self, namespace: str, name: str, port: int) -> int:
        """A port at which tests reach the pods of a service that are ready."""

        def target() -> tuple[str, int]:
            found = self.core.read_namespaced_endpoints(name, namespace)
            pods = [address.target_ref.name for part in found.subsets or () for address in part.addresses or ()]
            if not pods:
                raise OSError(f"{name} has no pod that is ready")
            return "127.0.0.1", self.ports.of(namespace, pods[0], port)

        forward = Forward(target)
        self.stack.callback(forward.close)
        return forward.port

    def address(self, namespace: Namespace = PRODUCTION) -> str:
        return f"http://127.0.0.1:{self.service(core_namespace(namespace), 'webserver', 3000)}"

    def pods(self, namespace: str) -> dict[str, str]:
        """The processes that stand, by the names of their pods."""
        found = self.core.list_namespaced_pod(namespace, label_selector="app.kubernetes.io/name").items
        standing = [pod for pod in found if pod.metadata.labels["app.kubernetes.io/name"] in PROCESSES]
        return {
            pod.metadata.name: pod.spec.containers[0].image for pod in standing if not pod.metadata.deletion_timestamp
        }


@contextmanager
def installed() -> Iterator[Installation]:
    """Everything but the deployment: repository, PostgreSQL, keys, namespaces with their secrets. Skips without a
    cluster whose node is this machine."""
    core = _cluster()
    with ExitStack() as stack:
        # Not pytest's folder: pods run as another user than root.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="headrace-", ignore_cleanup_errors=True)))
        network = _network(core, stack)
        one = Installation(folder, core, stack, network, stack.enter_context(PodPorts()))
        _make_folders(one)
        _note_variables(one, stack)
        write_repository(one)
        one.images = dict.fromkeys((*OWNERS, "server"), IMAGE)
        write_overlay(one)
        route(one, PRODUCTION)
        stack.callback(delete_namespaces, core)
        delete_namespaces(core)
        wait_for(lambda: not namespaces(core), told=lambda: f"{namespaces(core)} stayed")
        yield one


def _cluster() -> Any:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster: the platform did not come up in a real Kubernetes")
    if not shutil.which("kubectl"):
        pytest.skip("there is no kubectl: the platform did not come up in a real Kubernetes")
    from kubernetes import client, config

    config.load_kube_config(os.environ["KUBECONFIG"])
    core = client.CoreV1Api()
    node = core.list_node().items[0].metadata.name
    if IS_BARE and node != "127.0.0.1":
        pytest.skip(f"the cluster's machine is {node}, which does not see the files of this one")
    return core


def _network(core: Any, stack: ExitStack) -> Network | None:
    """What a bare cluster lacks; its API listens to this machine alone, too."""
    if not IS_BARE:
        return None
    network = Network(core, HOST)
    stack.callback(network.close)
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    there = httpx.URL(config["clusters"][0]["cluster"]["server"])
    stack.callback(Forward(lambda: (there.host, there.port or 443), (HOST, API_PORT)).close)
    return network


def _make_folders(one: Installation) -> None:
    one.folder.chmod(0o755)
    for name in ("store", "sources"):
        (one.shared / name).mkdir(parents=True)
        (one.shared / name).chmod(0o777)
    (one.shared / "keys.json").write_text(json.dumps({"keys": [jwk(KEY, "one")]}))


def _note_variables(one: Installation, stack: ExitStack) -> None:
    postgres = stack.enter_context(running_postgres())
    port, url = postgres.listen("hidden"), make_url(postgres.url)
    stack.callback(Forward(lambda: ("127.0.0.1", port), (HOST, 5432)).close)  # the port that pods may reach
    there = url.set(host=HOST, port=5432, password="hidden", query={}).render_as_string(hide_password=False)
    one.variables = {"HEADRACE_CATALOG": there, "HEADRACE_DAGSTER": there, "HEADRACE_STORE": str(one.shared / "store")}


def namespaces(core: Any) -> list[str]:
    """Those of this installation."""
    return [
        found.metadata.name
        for found in core.list_namespace(label_selector="app.kubernetes.io/managed-by=headrace").items
    ]


def delete_namespaces(core: Any) -> None:
    """With all that is in them; the next test waits until they are gone."""
    for name in namespaces(core):
        core.delete_namespace(name)


def write_overlay(one: Installation) -> None:
    """Production's folder as `headrace deploy` writes it."""
    for path, text in production_texts(ClusterDeployment(PRODUCTION, OWNERS, one.images)).items():
        (one.overlay / path).parent.mkdir(parents=True, exist_ok=True)
        (one.overlay / path).write_text(text)


def route(one: Installation, namespace: Namespace) -> None:
    """Writes where pods reach the code servers of a deployment, for the patch in `own`, where no service is routed."""
    if one.network is None:
        return
    pattern = namespaces_of_locations(namespace)
    servers = []
    for name in OWNERS:
        port = one.network.service(namespace_of(name, pattern), account_of("code", name), CODE_PORT)
        servers.append({"grpc_server": {"host": HOST, "port": port, "location_name": name}})
    path = one.shared / str(namespace) / "workspace.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"load_from": servers}))


def applied(one: Installation, part: str = "") -> None:
    """Applies production's folder, or a part of it, and waits until it stands."""
    kubectl = Kubectl()
    text = kubectl.built(one.overlay / part)
    things = list(yaml.safe_load_all(text))
    spaces = [thing for thing in things if thing["kind"] == "Namespace"]
    kubectl.apply(yaml.safe_dump_all([*spaces, *(secret(one, space["metadata"]["name"]) for space in spaces)]))
    kubectl.apply(text)
    for thing in things:
        if thing["kind"] == "Deployment":
            kubectl.await_rollout(thing["metadata"]["namespace"], thing["metadata"]["name"], PATIENCE)


def secret(one: Installation, namespace: str) -> dict[str, Any]:
    """What the processes in a Kubernetes namespace may know."""
    said = {name: one.variables[name] for name in ("HEADRACE_CATALOG", "HEADRACE_DAGSTER")}
    said |= {"HEADRACE_METRICS_TOKEN": SCRAPING}
    metadata = {"name": SECRET, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": said}


def call_image(one: Installation, name: str) -> str:
    """Gives the image another name, as a build would."""
    subprocess.run([*_containerd(one), "image", "tag", "--force", IMAGE, name], check=True, capture_output=True)
    return name


def _containerd(one: Installation) -> list[str]:
    """The command that asks the one of the cluster's machine, which is a container where the cluster is in Docker."""
    if there := os.environ.get("KUBERNETES_CONTAINERD"):
        return ["ctr", "--address", there, "--namespace", "k8s.io"]
    if IS_BARE:
        pytest.skip("KUBERNETES_CONTAINERD names no containerd: no image can be given a name")
    node = one.core.list_node().items[0].metadata.name
    return ["docker", "exec", node, "ctr", "--namespace", "k8s.io"]
