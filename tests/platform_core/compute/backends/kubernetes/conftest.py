"""A real cluster, wherever `KUBECONFIG` names one, and a stand-in for the worker that any image with a Python can run.

The stand-in is a module in a ConfigMap. It executes the order's payload as Python, so that a test says in one line what
its step does.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.backend import Backend
from platform_core.compute.backends.kubernetes.backend import KubernetesBackend
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from tests.platform_core.compute.support.cluster import KubernetesNamespace, a_kubernetes_namespace
from tests.platform_core.compute.support.images import IMAGE

STAND_IN = """
import os
import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as the real worker ends
exec(os.environ["HEADRACE_STEP"])
"""
STAND_IN_VARIABLES = {"PYTHONPATH": "/stand-in", "PYTHONUNBUFFERED": "1"}
STAND_IN_OPTIONS = {
    "volumes": [
        {
            "name": "stand-in",
            "configMap": {
                "name": "stand-in",
                "items": [{"key": "worker.py", "path": "platform_core/compute/worker.py"}],
            },
        }
    ],
    "volume_mounts": [{"name": "stand-in", "mountPath": "/stand-in"}],
}


def an_order(
    payload: str = "",
    *,
    step: str = "weather",
    run: str = "",
    number: int = 1,
    compute: Compute | None = None,
    options: Mapping[str, Any] | None = None,
    **more: Any,
) -> Order:
    """An order for the stand-in."""
    labels = {"namespace": "user/tess", "owner": "a@example.com", "location": "flights", "asset": "flights/weather"}
    variables = STAND_IN_VARIABLES | dict(more.pop("variables", {}))
    return Order(
        attempt=Attempt(run or str(uuid.uuid4()), step, number),
        compute=compute or Compute(cpu=0.05),
        profile=Profile(options={**STAND_IN_OPTIONS, **(options or {})}),
        payload=payload,
        variables=variables,
        labels=labels,
        **more,
    )


@dataclass
class Follower:
    """Reads the changes of a backend, as the executor does."""

    backend: Backend
    seen: list[Change] = field(default_factory=list)

    def until(self, condition: Callable[[], bool], timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"nothing more after {self.seen}"
            time.sleep(0.02)
            self.seen.extend(self.backend.changes())

    def ending(self, attempt: Attempt, timeout: float = 60) -> Ending:
        self.until(lambda: attempt in self.endings, timeout)
        return self.endings[attempt]

    def until_running(self, attempt: Attempt, timeout: float = 60) -> None:
        self.until(lambda: any(one.attempt == attempt and one.state == "running" for one in self.seen), timeout)

    def until_said(self, words: str, timeout: float = 60) -> str:
        self.until(lambda: any(words in one.sentence for one in self.seen), timeout)
        return next(one.sentence for one in self.seen if words in one.sentence)

    @property
    def endings(self) -> dict[Attempt, Ending]:
        return {change.attempt: change.ending for change in self.seen if change.ending is not None}


@pytest.fixture(scope="session")
def kubernetes_namespace() -> Iterator[KubernetesNamespace]:
    """A Kubernetes namespace with the stand-in, removed in the end. Skips where there is no cluster."""
    with a_kubernetes_namespace() as space:
        stand_in = {"metadata": {"name": "stand-in"}, "data": {"worker.py": STAND_IN}}
        space.core.create_namespaced_config_map(space.name, stand_in)
        yield space


@pytest.fixture
def backend(kubernetes_namespace: KubernetesNamespace) -> Iterator[KubernetesBackend]:
    """The backend on the real cluster, with little patience."""
    backend = KubernetesBackend(
        image=IMAGE,
        namespace=kubernetes_namespace.name,
        grace="4s",
        start_patience="3s",
        placement_patience="2s",
    )
    yield backend
    backend.close()


@pytest.fixture
def follower(backend: KubernetesBackend) -> Follower:
    return Follower(backend)
