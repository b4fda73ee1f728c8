"""The backend against a double of the API that breaks off, forgets and refuses on demand."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_core.compute.attempts import Change
from platform_core.compute.backends.backend import Leftover
from platform_core.compute.backends.kubernetes import chores
from platform_core.compute.backends.kubernetes.backend import KubernetesBackend
from platform_core.compute.backends.kubernetes.manifest import ATTEMPT_LABEL, EXPIRES_LABEL
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from platform_core.errors import HeadraceError
from platform_core.kubernetes_names import MANAGED
from tests.platform_core.compute.backends.kubernetes.conftest import Follower, an_order
from tests.platform_core.compute.backends.kubernetes.fake_api import FakeApi, kubeconfig_text

Make = Callable[..., Follower]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    api = FakeApi()
    yield api
    api.stop()


@pytest.fixture
def make(api: FakeApi, tmp_path: Path) -> Iterator[Make]:
    made: list[KubernetesBackend] = []

    def make(**more: Any) -> Follower:
        settings = {"start_patience": "1s", "placement_patience": "1s"} | more
        made.append(KubernetesBackend("image", kubeconfig=api.kubeconfig(tmp_path), **settings))
        return Follower(made[-1])

    yield make
    for backend in made:
        backend.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "_WITHOUT_POD", 0.2)
    monkeypatch.setattr(chores, "_CLEAN_PAUSE", 0.2)
    monkeypatch.setattr(chores, "_ROUND", 0.1)


def launch(follower: Follower, api: FakeApi, **more: Any) -> tuple[Any, Any]:
    """An order, launched, and its pod."""
    order = an_order(**more)
    follower.backend.launch([order])
    if api.makes_pods:
        follower.until(lambda: bool(api.pods))
    return order, api.only_pod() if api.makes_pods else None


def test_a_step_is_told_to_run_and_to_finish_and_its_job_is_removed(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.run(pod)
    follower.until_running(order.attempt)
    api.end(pod)
    assert follower.ending(order.attempt).kind == "finished"
    follower.until(lambda: not api.jobs)
    assert [change.state for change in follower.seen] == ["running", "ended"]


def test_nothing_is_asked_before_the_first_launch(api: FakeApi, make: Make) -> None:
    make().backend.changes()
    assert not api.calls


def test_launching_twice_starts_once(api: FakeApi, make: Make) -> None:
    follower = make()
    order, _pod = launch(follower, api)
    follower.backend.launch([order])
    time.sleep(0.3)
    assert api.calls["POST jobs"] == 1


def test_a_second_run_worker_finds_what_runs_and_what_ended(api: FakeApi, make: Make) -> None:
    first = make()
    runs, ended = an_order(step="runs", run="r"), an_order(step="ended", run="r")
    first.backend.launch([runs, ended])
    first.until(lambda: len(api.pods) == 2)
    pods = {pod["metadata"]["labels"]["headrace/step"]: pod for pod in api.pods.values()}
    api.run(pods["runs"])
    api.end(pods["ended"], 3, "Error")
    first.backend.close()

    second = make()
    second.backend.launch([runs, ended])
    second.until_running(runs.attempt)
    assert second.ending(ended.attempt).kind == "failed"
    assert len(api.jobs) == 2 or ended.attempt.id not in api.jobs
    api.end(pods["runs"])
    assert second.ending(runs.attempt).kind == "finished"


def test_a_job_of_somebody_else_with_the_same_name_is_not_touched(api: FakeApi, make: Make) -> None:
    order = an_order()
    api.jobs[order.attempt.id] = {"metadata": {"name": order.attempt.id, "labels": {}}}
    follower = make()
    follower.backend.launch([order])
    ending = follower.ending(order.attempt)
    assert ending.kind == "refused"
    assert "not this platform's" in ending.sentence
    assert order.attempt.id in api.jobs


def test_a_pod_with_our_labels_but_of_another_run_is_not_believed(api: FakeApi, make: Make) -> None:
    follower = make()
    _order, pod = launch(follower, api)
    labels = {**pod["metadata"]["labels"], "app.kubernetes.io/managed-by": "somebody"}
    foreign = {"metadata": {"name": "x", "uid": "x", "labels": labels}, "spec": pod["spec"], "status": {}}
    follower.backend.pod_changed({**foreign, "status": {"phase": "Succeeded"}})  # type: ignore[attr-defined]
    assert not follower.backend.changes()


def test_a_watch_that_is_cut_off_goes_on_where_it_broke(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.end_watches()
    api.run(pod)
    follower.until_running(order.attempt)
    assert api.calls["GET pods"] == 1, "nothing was forgotten, so nothing is listed again"


def test_a_version_that_is_gone_is_answered_with_a_new_list(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.run(pod)
    follower.until_running(order.attempt)
    api.end(pod)
    api.forget_history()
    api.end_watches()
    assert follower.ending(order.attempt).kind == "finished"


def test_a_pod_that_disappeared_while_nobody_watched_has_vanished(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.run(pod)
    follower.until_running(order.attempt)
    api.remove(pod, silently=True)
    api.forget_history()
    api.end_watches()
    ending = follower.ending(order.attempt)
    assert ending.kind == "vanished"
    assert "after its step had started" in ending.sentence


def test_preemption_before_the_step_started_loses_nothing_and_hangs_nothing(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.events.append(
        {
            "metadata": {},
            "reason": "Preempted",
            "message": "Preempted by default/high on node n1",
            "involvedObject": {"kind": "Pod", "name": pod["metadata"]["name"]},
        }
    )
    api.remove(pod)
    replacement = api.create_pod(api.jobs[order.attempt.id], "replacement")  # as clusters before 1.26 do
    api.run(replacement)
    ending = follower.ending(order.attempt)
    assert ending.kind == "vanished"
    assert "before it ran anything: Preempted, Preempted by default/high on node n1." in ending.sentence
    assert not api.jobs, "else the replacement would run the step under the old attempt"
    assert not api.pods


def test_cancelling_ends_the_pod_and_says_so(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.run(pod)
    follower.until_running(order.attempt)
    follower.backend.terminate([order.attempt, an_order().attempt])
    assert follower.ending(order.attempt).kind == "cancelled"
    assert not api.jobs


def test_cancelling_before_there_is_a_pod(api: FakeApi, make: Make) -> None:
    api.makes_pods = False
    follower = make()
    order, _ = launch(follower, api)
    follower.until(lambda: bool(api.jobs))
    follower.backend.terminate([order.attempt])
    assert follower.ending(order.attempt).kind == "cancelled"
    assert not api.jobs


def test_cancelling_before_the_api_ever_answered(api: FakeApi, make: Make) -> None:
    api.refusals["GET pods"] = (503, "starting")
    api.makes_pods = False
    follower = make()
    order, _ = launch(follower, api)
    follower.until_said("does not answer")
    follower.backend.terminate([order.attempt])
    assert follower.ending(order.attempt).kind == "cancelled"
    assert not api.calls["POST jobs"]


def test_without_the_right_to_watch_nothing_is_created(api: FakeApi, make: Make) -> None:
    api.refusals["GET pods"] = (403, "pods is forbidden")
    api.makes_pods = False
    follower = make()
    order, _ = launch(follower, api)
    ending = follower.ending(order.attempt)
    assert ending.kind == "refused"
    assert "pods is forbidden" in ending.sentence
    assert not api.calls["POST jobs"]
    del api.refusals["GET pods"]
    api.makes_pods = True
    launch(follower, api)  # the next one tries again


def test_an_api_that_is_busy_is_asked_again(api: FakeApi, make: Make) -> None:
    api.refusals["POST jobs"] = (429, "too many requests")
    api.makes_pods = False
    follower = make()
    launch(follower, api)
    follower.until_said("too many requests")
    del api.refusals["POST jobs"]
    follower.until(lambda: bool(api.jobs))


def test_cancelling_while_the_api_is_busy_creates_nothing_more(api: FakeApi, make: Make) -> None:
    api.refusals["POST jobs"] = (429, "too many requests")
    api.makes_pods = False
    follower = make()
    order, _ = launch(follower, api)
    follower.until_said("too many requests")
    follower.backend.terminate([order.attempt])
    del api.refusals["POST jobs"]
    assert follower.ending(order.attempt).kind == "cancelled"
    assert not api.jobs


def test_a_profile_that_makes_no_sense_is_refused(api: FakeApi, make: Make) -> None:
    api.makes_pods = False
    follower = make()
    odd, unknown = an_order(options={"image_pull_secrets": 3}), an_order(options={"nodeselector": {}})
    follower.backend.launch([odd, unknown])
    assert "cannot be made of what its profile says" in follower.ending(odd.attempt).sentence
    assert "Did you mean node_selector" in follower.ending(unknown.attempt).sentence


def test_without_the_right_to_delete_a_cancel_says_what_still_runs(api: FakeApi, make: Make) -> None:
    api.refusals["DELETE jobs"] = (403, "jobs is forbidden")
    follower = make()
    order, _pod = launch(follower, api)
    follower.backend.terminate([order.attempt])
    ending = follower.ending(order.attempt)
    assert ending.kind == "cancelled"
    assert "may still be running" in ending.sentence


def test_a_job_without_a_pod_says_why(api: FakeApi, make: Make) -> None:
    api.makes_pods = False
    follower = make(start_patience="20s")
    order, _ = launch(follower, api)
    about = {"kind": "Job", "name": order.attempt.id}
    api.events.append({"metadata": {}, "reason": "FailedCreate", "message": "no account", "involvedObject": about})
    assert "no account" in follower.until_said("does not let its pod be created")


def test_a_job_that_somebody_deleted_has_vanished(api: FakeApi, make: Make) -> None:
    api.makes_pods = False
    follower = make()
    order, _ = launch(follower, api)
    follower.until(lambda: bool(api.jobs))
    api.jobs.clear()
    assert follower.ending(order.attempt).kind == "vanished"


def test_a_step_that_no_machine_could_take_is_refused(api: FakeApi, make: Make) -> None:
    api.nodes = [{"metadata": {"name": "n"}, "spec": {}, "status": {"allocatable": {"cpu": "2"}}}]
    follower = make()
    order, pod = launch(follower, api, compute=Compute(cpu=64))
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    api.put(pod, conditions=[unplaced])
    follower.until_said("It waits for a machine: 0/1 nodes are available.")
    ending = follower.ending(order.attempt)
    assert ending.kind == "refused"
    assert "asks for 64 cpu, and the largest machines have 2 cpu" in ending.sentence


def test_an_image_that_cannot_be_pulled_is_refused_after_a_while(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    for reason, message in [("ErrImagePull", "not found"), ("ImagePullBackOff", "Back-off pulling")]:
        waiting = {"waiting": {"reason": reason, "message": message}}
        api.put(pod, containerStatuses=[{"name": "step", "image": "no/such", "state": waiting}])
    ending = follower.ending(order.attempt)
    assert ending.kind == "refused"
    assert ending.sentence == "Its image 'no/such' cannot be pulled: not found."
    assert len([change for change in follower.seen if change.state == "waiting"]) == 1


def test_the_log_of_a_failed_step_is_text_whatever_its_bytes(api: FakeApi, make: Make) -> None:
    api.log = "grüß dich 🎈\n".encode() + b"\xff\xfe"
    follower = make()
    order, pod = launch(follower, api)
    api.end(pod, 1, "Error")
    assert follower.ending(order.attempt).log.startswith("grüß dich 🎈\n")


def test_a_secret_of_the_run_worker_travels_in_a_secret(
    api: FakeApi, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALOG", "postgresql://me:hush@db/x")
    follower = make()
    order, _pod = launch(follower, api, secrets={"CATALOG": ""})
    follower.until(lambda: bool(api.secrets))
    assert "hush" not in str(api.jobs)
    assert api.secrets[0]["metadata"]["ownerReferences"][0]["uid"] == api.jobs[order.attempt.id]["metadata"]["uid"]


def test_what_ended_unheard_stays_for_whoever_resumes(api: FakeApi, make: Make) -> None:
    follower = make()
    order, pod = launch(follower, api)
    api.end(pod, 1, "Error")
    time.sleep(0.5)
    follower.backend.close()
    assert order.attempt.id in api.jobs


def test_what_is_past_its_time_is_removed_whoever_made_it_unless_it_runs(api: FakeApi, make: Make) -> None:
    backend = make().backend
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    for name, expires, status in (("old", "100", done), ("new", "300", done), ("runs", "100", {"active": 1})):
        labels = {**MANAGED, ATTEMPT_LABEL: name, EXPIRES_LABEL: expires}
        api.jobs[name] = {"metadata": {"name": name, "labels": labels}, "status": status}
    api.jobs["another's"] = {"metadata": {"name": "x", "labels": {EXPIRES_LABEL: "100"}}, "status": done}
    found = [Leftover("default/old", runs=False), Leftover("default/runs", runs=True)]
    assert backend.sweep(200.0, dry_run=True) == found
    assert set(api.jobs) == {"old", "new", "runs", "another's"}
    assert backend.sweep(200.0, [Profile(), Profile(options={"namespace": "default"})]) == found
    assert set(api.jobs) == {"new", "runs", "another's"}


def test_an_api_that_is_away_is_told_when_it_is_to_be_swept(api: FakeApi, make: Make) -> None:
    backend = make().backend
    api.stop()
    with pytest.raises(HeadraceError, match="does not let old Jobs be removed from the namespace 'default'"):
        backend.sweep(200.0)


def test_two_hundred_steps_at_once_cost_little(tmp_path: Path) -> None:
    """Under a tenth of one core from the first launch to the last end, and one call for ten steps beyond creating."""
    steps, seconds = 200, 10
    fake = [sys.executable, str(Path(__file__).with_name("fake_api.py")), str(seconds)]
    with subprocess.Popen(fake, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(kubeconfig_text(server.stdout.readline().strip()))
        import kubernetes.client  # noqa: F401  # what importing costs is no cost of a step

        backend = KubernetesBackend("image", kubeconfig=str(kubeconfig))
        orders = [an_order(step=f"s{number}", run="r", payload="x" * 10_000) for number in range(steps)]
        began, cpu = time.monotonic(), time.process_time()
        backend.launch(orders)
        ended: list[Change] = []
        while len(ended) < steps:
            assert time.monotonic() - began < 60
            time.sleep(0.1)
            ended += [change for change in backend.changes() if change.state == "ended"]
        share = (time.process_time() - cpu) / (time.monotonic() - began)
        calls = backend.calls
        backend.close()
        server.terminate()
    print(f"{steps} steps of {seconds} s: {share:.1%} of one core, {calls} calls")
    assert {change.ending.kind for change in ended if change.ending} == {"finished"}
    assert calls <= steps + steps / 10
    assert share < 0.1
