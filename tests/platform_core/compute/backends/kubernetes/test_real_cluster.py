"""The backend on a real cluster: what a kubelet, a scheduler and a Job controller really say."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform_core.compute.backends.kubernetes.backend import KubernetesBackend
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from tests.platform_core.compute.backends.kubernetes.conftest import (
    STAND_IN_OPTIONS,
    Follower,
    an_order,
)
from tests.platform_core.compute.support.cluster import KubernetesNamespace, on_this_machine
from tests.platform_core.compute.support.images import IMAGE, VARIABLES

SLEEP = "import time; print('begun'); time.sleep(60)"


def test_a_step_runs_as_nobody_special_and_can_write_only_its_scratch(
    backend: KubernetesBackend, follower: Follower
) -> None:
    program = """
import os
assert os.getuid() == 1000, os.getuid()
assert os.environ["HOME"] == "/tmp" and os.environ["ODD"] == "$(PATH) $$ grüß 🎈", os.environ
open("/tmp/scratch", "w").write("x")
try:
    open("/stray", "w")
except OSError as error:
    assert error.errno == 30, error
else:
    raise SystemExit("it could write")
"""
    order = an_order(program, variables={"ODD": "$(PATH) $$ grüß 🎈"})
    backend.launch([order])
    ending = follower.ending(order.attempt)
    assert ending.kind == "finished", ending


def test_what_is_created_carries_its_labels_and_goes_when_its_end_was_told(
    backend: KubernetesBackend, follower: Follower, kubernetes_namespace: KubernetesNamespace
) -> None:
    order = an_order("print('x')")
    backend.launch([order])
    follower.until_running(order.attempt)
    job = next(job for job in kubernetes_namespace.jobs() if job.metadata.name == order.attempt.id)
    assert job.metadata.annotations["headrace/namespace"] == "user/tess"
    assert job.metadata.labels["headrace/location"] == "flights"
    assert job.metadata.labels["headrace/run"] == order.attempt.run_id
    follower.ending(order.attempt)
    kubernetes_namespace.wait(lambda: all(job.metadata.name != order.attempt.id for job in kubernetes_namespace.jobs()))


def test_a_failure_comes_with_the_log(backend: KubernetesBackend, follower: Follower) -> None:
    order = an_order("print('grüß dich 🎈'); raise SystemExit(3)")
    backend.launch([order])
    ending = follower.ending(order.attempt)
    assert (ending.kind, ending.sentence) == ("failed", "Its process ended with exit code 3.")
    assert "grüß dich 🎈" in ending.log


def test_of_a_big_log_the_last_lines_are_kept(backend: KubernetesBackend, follower: Follower) -> None:
    order = an_order("for _ in range(20_000): print('y' * 100)\nprint('last'); raise SystemExit(1)")
    backend.launch([order])
    log = follower.ending(order.attempt).log
    assert log.endswith("last\n")
    assert len(log) <= 32 * 1024


def test_a_step_beyond_its_memory_is_told_so(backend: KubernetesBackend, follower: Follower) -> None:
    order = an_order("x = bytearray(300 << 20)", compute=Compute(cpu=0.05, memory="64MiB"))
    backend.launch([order])
    ending = follower.ending(order.attempt)
    assert ending.kind == "memory"
    assert "64 MiB of 64 MiB" in ending.sentence


def test_a_step_beyond_its_disk_is_evicted_with_a_hint(backend: KubernetesBackend, follower: Follower) -> None:
    order = an_order(
        "import time\nwith open('/tmp/x', 'wb') as f: f.write(bytes(30 << 20))\ntime.sleep(120)",
        compute=Compute(cpu=0.05, disk="10MiB"),
    )
    backend.launch([order])
    ending = follower.ending(order.attempt, timeout=120)
    assert ending.kind == "failed"
    assert "Compute(disk=...)" in ending.sentence


def test_a_worker_that_says_timeout_is_believed(backend: KubernetesBackend, follower: Follower) -> None:
    order = an_order("raise SystemExit(124)", compute=Compute(cpu=0.05, timeout="5s"))
    backend.launch([order])
    ending = follower.ending(order.attempt)
    assert ending.kind == "timeout"
    assert "5 s" in ending.sentence


def test_a_worker_that_cannot_end_itself_is_ended_by_the_deadline_of_its_pod(
    backend: KubernetesBackend, follower: Follower
) -> None:
    order = an_order(SLEEP, options={"pod_spec": {"activeDeadlineSeconds": 2}})
    backend.launch([order])
    assert follower.ending(order.attempt).kind == "timeout"


def test_cancel_ends_the_pod(
    backend: KubernetesBackend, follower: Follower, kubernetes_namespace: KubernetesNamespace
) -> None:
    order = an_order(SLEEP)
    backend.launch([order])
    follower.until_running(order.attempt)
    began = time.monotonic()
    backend.terminate([order.attempt])
    assert follower.ending(order.attempt).kind == "cancelled"
    assert time.monotonic() - began < 10
    kubernetes_namespace.wait(lambda: not kubernetes_namespace.of(order.attempt))


def test_a_pod_taken_away_while_it_runs_has_vanished_and_no_other_takes_its_place(
    backend: KubernetesBackend, follower: Follower, kubernetes_namespace: KubernetesNamespace
) -> None:
    order = an_order(SLEEP)
    backend.launch([order])
    follower.until_running(order.attempt)
    kubernetes_namespace.core.delete_namespaced_pod(
        kubernetes_namespace.of(order.attempt)[0].metadata.name, kubernetes_namespace.name
    )
    ending = follower.ending(order.attempt)
    assert ending.kind == "vanished", ending
    kubernetes_namespace.wait(lambda: not kubernetes_namespace.of(order.attempt))


def test_a_pod_deleted_before_it_ran_anything_has_vanished(
    backend: KubernetesBackend, follower: Follower, kubernetes_namespace: KubernetesNamespace
) -> None:
    order = an_order(SLEEP, options={"node_selector": {"headrace/no-such": "machine"}})
    backend.launch([order])
    follower.until_said("It waits for a machine")
    kubernetes_namespace.core.delete_namespaced_pod(
        kubernetes_namespace.of(order.attempt)[0].metadata.name, kubernetes_namespace.name
    )
    ending = follower.ending(order.attempt)
    assert ending.kind in ("vanished", "refused"), ending
    assert "before it ran anything" in ending.sentence or "none of the" in ending.sentence


def test_a_second_run_worker_adopts_what_the_first_left(
    backend: KubernetesBackend, kubernetes_namespace: KubernetesNamespace
) -> None:
    order = an_order("import time; time.sleep(4)")
    backend.launch([order])
    Follower(backend).until_running(order.attempt)
    backend.close()
    second = KubernetesBackend(IMAGE, namespace=kubernetes_namespace.name)
    second.launch([order])
    follower = Follower(second)
    follower.until_running(order.attempt)
    assert follower.ending(order.attempt).kind == "finished"
    second.close()


def test_secrets_arrive_by_reference(
    backend: KubernetesBackend,
    follower: Follower,
    kubernetes_namespace: KubernetesNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OWN", "mine")
    secret = {"metadata": {"name": "keys"}, "stringData": {"api": "hush"}}
    kubernetes_namespace.core.create_namespaced_secret(kubernetes_namespace.name, secret)
    order = an_order(
        "import os; raise SystemExit([os.environ[n][::-1] for n in ('API', 'api', 'OWN')] != ['hsuh', 'hsuh', 'enim'])",
        secrets={"API": "keys/api", "OWN": ""},
        options={"env_secrets": ["keys"]},
    )
    backend.launch([order])
    follower.until_running(order.attempt)
    specs = str(kubernetes_namespace.jobs()) + str(kubernetes_namespace.pods())
    assert "hush" not in specs
    assert "mine" not in specs
    assert follower.ending(order.attempt).kind == "finished"


def refused(options: dict[str, Any], words: str, **more: Any) -> Callable[[KubernetesBackend, Follower], None]:
    def check(backend: KubernetesBackend, follower: Follower) -> None:
        order = an_order(SLEEP, options=options, **more)
        backend.launch([order])
        ending = follower.ending(order.attempt)
        assert ending.kind == "refused", ending
        assert words in ending.sentence, ending

    return check


@pytest.mark.parametrize(
    "check",
    [
        refused({}, "'localhost/no-such:1' cannot be pulled", compute=Compute(cpu=0.05, image="localhost/no-such:1")),
        refused({}, "cannot be used", compute=Compute(cpu=0.05, image="no such/Image")),
        refused({}, 'secret "no-such" not found', secrets={"API": "no-such/key"}),
        refused({"service_account": "no-such"}, 'serviceaccount "no-such" not found'),
        refused({"namespace": "no-such"}, 'namespaces "no-such" not found'),
        refused({"container": {"command": ["/no/such/python"]}}, "cannot be started"),
        refused({}, "asks for 64 cpu", compute=Compute(cpu=64)),
        refused({"node_selector": {"gpu": "h100"}}, "is of the kind that its profile asks for"),
        refused({}, "nvidia.com/gpu", compute=Compute(cpu=0.05, gpu=1)),
        refused({"pod_spec": {"restartPolicy": "Sometimes"}}, "does not take the Job"),
    ],
    ids=["image", "image-name", "secret", "account", "namespace", "command", "cpu", "selector", "gpu", "invalid"],
)
def test_what_can_never_start_is_refused_with_the_reason(
    check: Callable[[KubernetesBackend, Follower], None], backend: KubernetesBackend, follower: Follower
) -> None:
    check(backend, follower)


@pytest.fixture
def quota(kubernetes_namespace: KubernetesNamespace) -> Iterator[None]:
    name = kubernetes_namespace.name
    body = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "200Mi"}}}
    kubernetes_namespace.core.create_namespaced_resource_quota(name, body)
    kubernetes_namespace.wait(
        lambda: bool(kubernetes_namespace.core.read_namespaced_resource_quota("small", name).status.hard)
    )
    yield
    kubernetes_namespace.core.delete_namespaced_resource_quota("small", name)


@pytest.mark.usefixtures("quota")
def test_a_quota_is_waited_for_or_refused(backend: KubernetesBackend, follower: Follower) -> None:
    first = an_order(SLEEP, compute=Compute(cpu=0.05, memory="150Mi"))
    second = an_order("", step="second", compute=Compute(cpu=0.05, memory="150Mi"))
    never = an_order("", step="never", compute=Compute(cpu=0.05, memory="1Gi"))
    backend.launch([first])
    follower.until_running(first.attempt)
    backend.launch([second, never])
    follower.until_said("It waits for the quota 'small'")
    backend.terminate([first.attempt])
    ending = follower.ending(never.attempt)
    assert ending.kind == "refused"
    assert "the quota 'small' allows" in ending.sentence
    assert follower.ending(second.attempt, timeout=120).kind == "finished"


def test_a_fan_out_of_thirty(backend: KubernetesBackend, follower: Follower) -> None:
    orders = [an_order("pass", step=f"s{number}", run="fan", compute=Compute(cpu=0.02)) for number in range(30)]
    backend.launch(orders)
    follower.until(lambda: len(follower.endings) == 30, timeout=180)
    assert {ending.kind for ending in follower.endings.values()} == {"finished"}
    assert backend.calls <= 30 + 10


def test_pre_emption_by_a_step_of_higher_priority_is_told(
    backend: KubernetesBackend, follower: Follower, kubernetes_namespace: KubernetesNamespace
) -> None:
    from kubernetes import client

    classes, name = client.SchedulingV1Api(), f"{kubernetes_namespace.name}-high"
    classes.create_priority_class({"metadata": {"name": name}, "value": 1000})
    cores = float(kubernetes_namespace.core.list_node().items[0].status.allocatable["cpu"])
    try:
        low = an_order(SLEEP, step="low", compute=Compute(cpu=cores * 0.7))
        backend.launch([low])
        follower.until_running(low.attempt)
        high = an_order("pass", step="high", compute=Compute(cpu=cores * 0.7), options={"priority_class": name})
        backend.launch([high])
        ending = follower.ending(low.attempt)
        assert ending.kind == "vanished"
        assert "Preempted" in ending.sentence or "preempt" in ending.sentence
        assert follower.ending(high.attempt).kind == "finished"
    finally:
        classes.delete_priority_class(name)


def test_the_real_worker_starts_from_the_repository(
    backend: KubernetesBackend, follower: Follower, kubernetes_namespace: KubernetesNamespace, tmp_path: Path
) -> None:
    """It finds the platform and Dagster; the payload is none, so it fails at reading it."""
    kubernetes_namespace.need_this_machine()
    order = an_order("bm8gc3RlcA==", compute=Compute(cpu=0.5), variables=VARIABLES)
    order = type(order)(**{**vars(order), "profile": Profile(options=on_this_machine(tmp_path))})
    backend.launch([order])
    ending = follower.ending(order.attempt)
    assert ending.kind == "failed"
    assert "zlib" in ending.log, ending
    assert STAND_IN_OPTIONS["volumes"] not in order.profile.options.values()


DOCUMENTATION = Path(__file__).parents[5] / "docs" / "compute-kubernetes.md"


@pytest.fixture
def documented_rights(kubernetes_namespace: KubernetesNamespace, tmp_path: Path) -> str:
    """A kubeconfig of an account that has exactly the rights that the documentation lists."""
    from kubernetes import client

    rights, space = client.RbacAuthorizationV1Api(), kubernetes_namespace.name
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    role = yaml.safe_load(text)
    rights.create_namespaced_role(space, role)
    kubernetes_namespace.core.create_namespaced_service_account(space, {"metadata": {"name": "worker"}})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"]}
    subject = {"kind": "ServiceAccount", "name": "worker", "namespace": space}
    binding = {"metadata": {"name": "worker"}, "roleRef": reference, "subjects": [subject]}
    rights.create_namespaced_role_binding(space, binding)
    token = kubernetes_namespace.core.create_namespaced_service_account_token(
        "worker", space, {"spec": {"expirationSeconds": 3600, "audiences": []}}
    ).status.token
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    return str(tmp_path / "kubeconfig")


def test_the_documented_rights_are_enough(
    documented_rights: str, kubernetes_namespace: KubernetesNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN", "enim")
    backend = KubernetesBackend(
        IMAGE, namespace=kubernetes_namespace.name, kubeconfig=documented_rights, grace="4s", placement_patience="1s"
    )
    follower = Follower(backend)
    fails = an_order("import os; print(os.environ['OWN'][::-1]); raise SystemExit(3)", secrets={"OWN": ""}, run="r")
    sleeps = an_order(SLEEP, step="sleeps", run="r")
    waits = an_order(SLEEP, step="waits", run="r", options={"service_account": "no-such"})
    backend.launch([fails, sleeps, waits])
    assert "mine" in follower.ending(fails.attempt).log
    follower.until_running(sleeps.attempt)
    follower.until_said('serviceaccount "no-such" not found')
    backend.terminate([sleeps.attempt, waits.attempt])
    assert follower.ending(sleeps.attempt).kind == "cancelled"
    assert follower.ending(waits.attempt).kind == "cancelled"
    backend.launch([an_order("pass", run="r", number=2)])  # an attempt that this worker does not know yet
    follower.until(lambda: len(follower.endings) == 4)
    backend.close()
