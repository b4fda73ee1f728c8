"""A real cluster, wherever `KUBECONFIG` names one: a Kubernetes namespace of its own for tests, and what pods see.

`on_this_machine` is for a cluster whose node is this machine: it gives pods the repository and the libraries at the
paths that they have here.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from platform_core.compute.attempts import Attempt
from tests.platform_core.compute.support.images import FOLDERS

SAID = os.environ.get("HEADRACE_TEST_HOST", "")  # of clusters in Docker, which see folders of this machine as well
HOST = SAID or "10.99.0.1"  # this machine, as pods see it
IS_BARE = not SAID  # such a cluster has a name server, routes services and keeps network policies; a bare one does not


def on_this_machine(*writable: Path) -> dict[str, Any]:
    """Profile options with which pods see the repository, its libraries and some writable folders of this machine."""
    places = [(path, False) for path in writable] + [(path, True) for path in FOLDERS]
    names = [f"host-{number}" for number, _ in enumerate(places)]
    return {
        "volumes": [{"name": n, "hostPath": {"path": str(p)}} for n, (p, _) in zip(names, places, strict=True)],
        "volume_mounts": [
            {"name": n, "mountPath": str(p), "readOnly": ro} for n, (p, ro) in zip(names, places, strict=True)
        ],
        "run_as_user": os.getuid(),
    }


@dataclass(frozen=True)
class KubernetesNamespace:
    """A Kubernetes namespace for tests in a real cluster."""

    name: str
    core: Any
    batch: Any

    def need_this_machine(self) -> None:
        """Skips where the cluster's node is another machine than this one."""
        node = self.core.list_node().items[0].metadata.name
        if node != "127.0.0.1":
            pytest.skip(f"the cluster's machine is {node}, which does not see the files of this one")

    def pods(self) -> list[Any]:
        return list(self.core.list_namespaced_pod(self.name).items)

    def jobs(self) -> list[Any]:
        return list(self.batch.list_namespaced_job(self.name).items)

    def of(self, attempt: Attempt) -> list[Any]:
        """The pods of an attempt."""
        return [pod for pod in self.pods() if (pod.metadata.labels or {}).get("headrace/attempt") == attempt.id]

    def wait(self, condition: Callable[[], bool], timeout: float = 150) -> None:
        """Waits as long as a busy machine may need, and says in the end what there still is."""
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"it never happened; there are {self._all()}"
            time.sleep(0.1)

    def _all(self) -> list[str]:
        """Each Job and pod: since when it is being deleted, and who still holds it."""
        return [
            f"{type(thing).__name__} {thing.metadata.name} (deleted {thing.metadata.deletion_timestamp}, "
            f"held by {thing.metadata.finalizers}, {getattr(thing.status, 'phase', '')})"
            for thing in [*self.jobs(), *self.pods()]
        ]


@contextmanager
def a_kubernetes_namespace() -> Iterator[KubernetesNamespace]:
    """A Kubernetes namespace that is removed in the end. Skips where there is no cluster."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster: nothing was run in a real Kubernetes")
    from kubernetes import client, config

    config.load_kube_config(os.environ["KUBECONFIG"])
    core, name = client.CoreV1Api(), f"headrace-test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    space = KubernetesNamespace(name, core, client.BatchV1Api())
    space.wait(lambda: bool(core.list_namespaced_service_account(name).items))
    yield space
    core.delete_namespace(name)
