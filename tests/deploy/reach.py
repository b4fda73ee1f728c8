"""Who reaches whom in an installation, tried from inside its pods."""

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from platform_core.cluster.kubectl import Kubectl
from platform_core.kubernetes_names import CODE_PORT, MANAGED
from tests.deploy.reaching import wait_for
from tests.deploy.small_production import API_PORT, METRICS_PORT
from tests.platform_core.compute.support.cluster import HOST, IS_BARE
from tests.platform_core.compute.support.images import IMAGE

BRIDGE = "pods0"  # the network of pods on this machine
METADATA = "169.254.77.77"  # where a cloud might tell a machine of itself
PROXY, SCRAPER, STRANGER = "headrace-test-proxy", "headrace-test-scraper", "headrace-test-stranger"
STRANGERS = {PROXY: {"headrace/proxy": "true"}, SCRAPER: {"headrace/metrics": "true"}, STRANGER: {}}
TRY = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)"
Address = tuple[str, int]
API: Address = (HOST, API_PORT) if IS_BARE else ("kubernetes.default.svc", 443)


@dataclass
class Reach:
    """Pods that try, by name, with what they try. All of it listens."""

    core: Any
    pods: dict[str, tuple[str, str]] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)

    def of(self, who: str) -> set[str]:
        """What a pod reaches besides itself."""
        others = {name: address for name, address in self.addresses.items() if name != who}
        return {name for name, address in others.items() if self._is_reached(who, address)}

    def _is_reached(self, who: str, address: Address) -> bool:
        namespace, pod = self.pods[who]
        inside = ["python3", "-c", TRY, address[0], str(address[1])]
        done = subprocess.run(
            ["kubectl", "--namespace", namespace, "exec", pod, "--", *inside],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode or "OSError" in done.stderr or "Error: [Errno" in done.stderr, done.stderr
        return not done.returncode

    def add(self, name: str, namespace: str, process: str, port: int | None = None) -> None:
        """The pod of a process that is there, which is reached at `port`."""
        found = self.core.list_namespaced_pod(namespace, label_selector=f"app.kubernetes.io/name={process}").items
        pod = next(pod for pod in found if pod.status.pod_ip and not pod.metadata.deletion_timestamp)
        self.pods[name] = (namespace, pod.metadata.name)
        if port:
            self.addresses[name] = (pod.status.pod_ip, port)


@contextmanager
def tried(core: Any) -> Iterator[Reach]:
    """The processes of an installation, strangers, and services of this machine, all of which listen meanwhile."""
    with ExitStack() as stack:
        stack.callback(_forget_strangers)
        one = Reach(core)
        one.add("webserver", "headrace", "webserver", 3000)
        one.add("daemon", "headrace", "daemon")
        one.add("metrics", "headrace", "metrics", METRICS_PORT)
        for name in ("flights", "platform"):
            one.add(name, f"headrace-{name}", "code", CODE_PORT)
        for name, labels in STRANGERS.items():
            _start_stranger(name, labels)
            one.pods[name] = (name, "one")
        one.addresses |= {"databases": (HOST, 5432), "the API": API, "some service": _listening(HOST, stack)}
        if IS_BARE:
            one.addresses["metadata"] = _metadata(stack)
        yield one


def _start_stranger(name: str, labels: Mapping[str, str]) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**labels, **MANAGED}}}
    waits = {"name": "one", "image": IMAGE, "command": ["python3", "-c", "import time; time.sleep(600)"]}
    spec = {"containers": [{**waits, "imagePullPolicy": "IfNotPresent"}], "terminationGracePeriodSeconds": 0}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": name}, "spec": spec}
    Kubectl().apply(yaml.safe_dump_all([space]))
    account = ["kubectl", "--namespace", name, "get", "serviceaccount", "default"]
    wait_for(lambda: subprocess.run(account, capture_output=True, check=False).returncode == 0, 30)
    Kubectl().apply(yaml.safe_dump_all([pod]))
    ready = ["kubectl", "--namespace", name, "wait", "--for=condition=Ready", "pod/one", "--timeout=300s"]
    subprocess.run(ready, check=True, capture_output=True)


def _forget_strangers() -> None:
    command = ["kubectl", "delete", "namespace", *STRANGERS, "--ignore-not-found", "--wait=true"]
    subprocess.run(command, check=True, capture_output=True)


def _listening(address: str, stack: ExitStack, port: int = 0) -> Address:
    server = stack.enter_context(socket.create_server((address, port)))
    return address, server.getsockname()[1]


def _metadata(stack: ExitStack) -> Address:
    """At a port that is open to all other addresses."""
    place = [f"{METADATA}/32", "dev", BRIDGE]
    subprocess.run(["ip", "address", "replace", *place], check=True)
    stack.callback(subprocess.run, ["ip", "address", "delete", *place], check=True)
    return _listening(METADATA, stack, 443)
