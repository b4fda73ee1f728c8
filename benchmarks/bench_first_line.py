"""From a step that is ready to the first line of its function on Kubernetes, against a pod that only prints a line."""

import os
import re
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.interleave import BenchmarkError, Comparison, Sample
from platform_core.compute.attempts import Attempt, Order
from platform_core.compute.backends.kubernetes.backend import KubernetesBackend
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from platform_core.instance import prepare_dagster_home
from platform_core.settings import as_if_in, current_settings

ROUNDS = 5
PATIENCE = 120.0  # seconds
IMAGE = os.environ.get("HEADRACE_TEST_IMAGE", "localhost/python:base")
FOLDERS = (Path(__file__).resolve().parents[1], Path(sysconfig.get_path("purelib")).resolve())
SUBJECT, STEP, POD = "a step's first line beyond the pod's own", "a step", "a pod"
REFERENCE = "a pod that imports dagster, beyond the pod's own"
TARGET = 2.1  # times `import dagster`: a second where that takes 0.47 s
_SAID = re.compile(r"first line at ([\d.]+) after ([\d.]+)")


def main() -> Comparison:
    turns: list[dict[str, Sample]] = []
    with _cluster() as cluster:
        contenders: list[tuple[str, Callable[[], Sample]]] = [
            (POD, cluster.pod),
            (STEP, cluster.step),
            (REFERENCE, cluster.importing_pod),
        ]
        for number in range(ROUNDS + 1):
            turns.append({name: turn() for name, turn in (contenders if number % 2 else reversed(contenders))})
    del turns[0]  # it read all files from the disk
    return Comparison(
        claim=f"On Kubernetes the first line of a step of flights, with one processor, comes at most {TARGET:g} times"
        " `import dagster` after that of a pod which only prints it: a second where that takes 0.47 s",
        subject=SUBJECT,
        reference=REFERENCE,
        target=TARGET,
        samples={
            SUBJECT: [_beyond(turn[STEP], turn[POD]) for turn in turns],
            REFERENCE: [_beyond(turn[REFERENCE], turn[POD]) for turn in turns],
            STEP: [turn[STEP] for turn in turns],
            POD: [turn[POD] for turn in turns],
        },
    )


def _beyond(whole: Sample, part: Sample) -> Sample:
    return Sample(whole.wall - part.wall, whole.cpu - part.cpu)


@dataclass(frozen=True)
class _Cluster:
    backend: KubernetesBackend
    home: Path
    core: Any
    namespace: str

    def step(self) -> Sample:
        import dagster as dg

        from benchmarks.first_line import variables_of_a_step

        with dg.DagsterInstance.get() as instance:
            variables = variables_of_a_step(instance)
        settings = current_settings()
        told = {"HEADRACE_HOME": str(self.home), "HEADRACE_NAMESPACE": settings.namespace}
        return self._first_line(variables | told, {})

    def pod(self, before: str = "") -> Sample:
        from benchmarks.first_line import FIRST_LINE

        return self._first_line({}, {"command": ["python", "-c", before + FIRST_LINE]})

    def importing_pod(self) -> Sample:
        return self.pod("import dagster; ")

    def _first_line(self, variables: Mapping[str, str], container: Mapping[str, Any]) -> Sample:
        order = Order(
            attempt=Attempt(str(uuid.uuid4()), "first_line"),
            compute=Compute(cpu=1),
            profile=Profile(options={**_on_this_machine(self.home), "container": dict(container)}),
            payload=variables.get("HEADRACE_STEP", ""),
            variables={"PYTHONPATH": os.pathsep.join(map(str, FOLDERS)), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        )
        ready = time.time()
        self.backend.launch([order])
        self._await_end(order.attempt)
        at, after = _told(self._log(order.attempt))
        return Sample(at - ready, after)

    def _await_end(self, attempt: Attempt) -> None:
        end = time.monotonic() + PATIENCE
        while not any(change.attempt == attempt and change.ending for change in self.backend.changes()):
            if time.monotonic() > end:
                raise BenchmarkError(f"{attempt.id} did not end in {PATIENCE:g} s.")
            time.sleep(0.1)

    def _log(self, attempt: Attempt) -> str:
        selector = f"headrace/attempt={attempt.id}"
        (pod,) = self.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        said = self.core.read_namespaced_pod_log(pod.metadata.name, self.namespace, _preload_content=False)
        return str(said.data.decode(errors="replace"))


def _told(log: str) -> tuple[float, float]:
    if not (said := _SAID.search(log)):
        raise BenchmarkError(f"The first line was never reached: {log[-2000:]}")
    return float(said[1]), float(said[2])


def _on_this_machine(home: Path) -> dict[str, Any]:
    """A pod sees the repository and the libraries where they are here: the cluster's node has to be this machine."""
    places = [(str(home), False), *((str(folder), True) for folder in FOLDERS)]
    return {
        "volumes": [{"name": f"host-{n}", "hostPath": {"path": path}} for n, (path, _) in enumerate(places)],
        "volume_mounts": [
            {"name": f"host-{n}", "mountPath": path, "readOnly": read_only}
            for n, (path, read_only) in enumerate(places)
        ],
        "run_as_user": os.getuid(),
    }


@contextmanager
def _cluster() -> Iterator[_Cluster]:
    if not os.environ.get("KUBECONFIG"):
        raise BenchmarkError("KUBECONFIG names no cluster whose node is this machine.")
    from kubernetes import client, config

    config.load_kube_config(os.environ["KUBECONFIG"])
    core, name = client.CoreV1Api(), f"headrace-bench-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    while not core.list_namespaced_service_account(name).items:
        time.sleep(0.1)
    with tempfile.TemporaryDirectory() as folder, as_if_in({"HEADRACE_HOME": folder}):
        prepare_dagster_home(current_settings())
        backend = KubernetesBackend(IMAGE, namespace=name)
        try:
            yield _Cluster(backend, Path(folder), core, name)
        finally:
            backend.close()
            core.delete_namespace(name)
