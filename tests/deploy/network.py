"""The network of a cluster on this machine: what a plugin does elsewhere, by iptables inside the network of each pod.

It keeps network policies, and routes services: a service is a port of this machine, as pods see it. A pod that is not
known yet reaches nobody.
"""

import itertools
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.policies import Pod, World, filters

NETWORKS = Path("/run/netns")
PERIOD = 0.3  # seconds
ANSWERS = "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
ALWAYS = ("-A INPUT -i lo -j ACCEPT", "-A OUTPUT -o lo -j ACCEPT", f"-A INPUT {ANSWERS}", f"-A OUTPUT {ANSWERS}")
NOTHING = ("-A INPUT -j DROP", "-A OUTPUT -j DROP")


class Network:
    """Follows the cluster until it is closed.

    Args:
        node: this machine, as pods see it.
    """

    def __init__(self, core: Any, node: str) -> None:
        from kubernetes import client

        self._core, self._networking, self.node = core, client.NetworkingV1Api(core.api_client), node
        self._services: dict[int, tuple[str, str, int]] = {}
        self._free = itertools.count(20_000)
        self._addresses, self._done = dict[str, str](), dict[str, str]()
        self._cut: tuple[str, ...] = ()
        self._over = threading.Event()
        self.problem: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name="network of pods", daemon=True)
        self._thread.start()

    def service(self, namespace: str, name: str, port: int) -> int:
        """The port at which pods reach those of a service that are ready, as if they had asked the pod itself."""
        number = next(self._free)
        self._services[number] = (namespace, name, port)
        return number

    @contextmanager
    def cut_off(self, port: int) -> Iterator[None]:
        """While no pod reaches a port, not by connections that it has either."""
        self._cut = (f"-A OUTPUT -p tcp --dport {port} -j REJECT --reject-with tcp-reset",)
        try:
            yield
        finally:
            self._cut = ()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        if self.problem:
            raise self.problem

    def _follow(self) -> None:
        while not self._over.wait(PERIOD):
            try:
                self._look()
            except Exception as error:
                self.problem = error
                return

    def _look(self) -> None:
        world, routes = self._world(), self._routes()
        known = {
            pod.address: _text((*self._cut, *ALWAYS, *filters(pod, world, self.node)), routes) for pod in world.pods
        }
        there = {path.name for path in NETWORKS.glob("cni-*")}
        self._addresses = {name: self._addresses.get(name) or self._joined(name) for name in there}
        for name, address in self._addresses.items():
            text = known.get(address, _text((*ALWAYS, *NOTHING), ()))
            if self._done.get(name) != text and _restored(name, text):
                self._done[name] = text

    def _joined(self, name: str) -> str:
        """The address of the pod whose network it is, empty as long as it has none. It may go out through its node."""
        told = _ip("-n", name, "-4", "-brief", "address", "show", "dev", "eth0").stdout.split()
        _ip("-n", name, "route", "replace", "default", "via", self.node)
        return told[2].partition("/")[0] if len(told) > 2 else ""

    def _world(self) -> World:
        pods = [
            Pod(pod.metadata.namespace, pod.metadata.labels or {}, pod.status.pod_ip)
            for pod in self._core.list_pod_for_all_namespaces().items
            if pod.status.pod_ip and not pod.spec.host_network and pod.status.phase in ("Pending", "Running")
        ]
        spaces = {space.metadata.name: space.metadata.labels or {} for space in self._core.list_namespace().items}
        return World(pods, spaces, self._networking.list_network_policy_for_all_namespaces().items)

    def _routes(self) -> list[str]:
        found = {
            (one.metadata.namespace, one.metadata.name): [
                address.ip for part in one.subsets or () for address in part.addresses or ()
            ]
            for one in self._core.list_endpoints_for_all_namespaces().items
        }
        return [
            f"-A OUTPUT -d {self.node} -p tcp --dport {number} -j DNAT --to-destination {ready[0]}:{port}"
            for number, (namespace, name, port) in [*self._services.items()]
            if (ready := found.get((namespace, name)))
        ]


def _text(rules: Sequence[str], routes: Sequence[str]) -> str:
    chains = (":INPUT ACCEPT", ":OUTPUT ACCEPT")
    return "\n".join(["*nat", *chains, *routes, "COMMIT", "*filter", *chains, *rules, "COMMIT", ""])


def _restored(name: str, text: str) -> bool:
    """False when the pod ended meanwhile."""
    done = _ip("netns", "exec", name, "iptables-restore", told=text)
    if done.returncode and (NETWORKS / name).exists():
        raise OSError(f"iptables-restore in {name}: {done.stderr}\n{text}")
    return not done.returncode


def _ip(*arguments: str, told: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *arguments], input=told, capture_output=True, text=True, check=False)
