"""What pods say, as sentences."""

from typing import Any

import pytest

from platform_core.compute.attempts import Kind
from platform_core.compute.backends.kubernetes.explain import job_ending, look_at, lost
from platform_core.compute.spec import Compute

COMPUTE = Compute(memory="4GiB", timeout="5min")


def a_pod(state: dict[str, Any] | None = None, deleted: bool = False, **status: Any) -> dict[str, Any]:
    container = [{"name": "step", "image": "registry/flights:1", "state": state}] if state else []
    metadata = {"uid": "u", "name": "p"} | ({"deletionTimestamp": "2026-11-21T00:00:00Z"} if deleted else {})
    return {"metadata": metadata, "spec": {"nodeName": "n1"}, "status": {"containerStatuses": container, **status}}


def ended(code: int, why: str = "Error", said: str = "", **more: Any) -> dict[str, Any]:
    return a_pod({"terminated": {"exitCode": code, "reason": why, "message": said}}, **more)


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return a_pod({"waiting": {"reason": reason, "message": message}}, phase="Pending")


DISRUPTED = [
    {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": "default-scheduler: preempting to accommodate a higher priority pod",
    }
]
LOW = "The node was low on resource: memory."
SCRATCH = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "


@pytest.mark.parametrize(
    ("pod", "kind", "words"),
    [
        (ended(0, "Completed"), "finished", ""),
        (ended(0, "OOMKilled"), "finished", ""),  # a child was killed, and the step went on without it
        (ended(0, deleted=True), "finished", ""),
        (a_pod(phase="Succeeded"), "finished", ""),
        (ended(1), "failed", "exit code 1."),
        (ended(255), "failed", "exit code 255."),
        (ended(139), "failed", "signal SIGSEGV"),
        (ended(137), "vanished", "killed from outside"),
        (ended(137, "OOMKilled"), "memory", "at 4 GiB of 4 GiB: ask for more with Compute(memory=...)"),
        (ended(124), "timeout", "after 5 min"),
        (ended(143), "vanished", "asked it to end"),
        (ended(143, deleted=True), "vanished", "after its step had started"),
        (ended(137, deleted=True), "vanished", "after its step had started"),
        (ended(143, conditions=DISRUPTED), "vanished", "higher priority pod"),
        (ended(1, deleted=True), "failed", "exit code 1"),
        (ended(137, "ContainerStatusUnknown"), "vanished", "lost track"),
        (ended(128, "StartError", "exec: no such file"), "refused", "cannot be started: exec: no such file."),
        (ended(137, phase="Failed", reason="Evicted", message=LOW), "vanished", "low on resource: memory."),
        (a_pod(phase="Failed", reason="Evicted", message=LOW), "vanished", "Evicted from its machine"),
        (a_pod(phase="Failed", reason="Evicted", message=SCRATCH), "failed", "Compute(disk=...)"),
        (ended(137, phase="Failed", reason="DeadlineExceeded"), "timeout", "5 min"),
        (a_pod(phase="Running", reason="NodeLost", deleted=True), "vanished", "The machine n1 under it stopped"),
        (a_pod(phase="Failed", reason="NodeShutdown"), "vanished", "The machine n1 under it was shut down"),
        (a_pod(phase="Failed", reason="OutOfcpu", message="no"), "vanished", "turned it down: OutOfcpu, no."),
        (a_pod(phase="Failed"), "vanished", "no reason given"),
    ],
)
def test_endings(pod: dict[str, Any], kind: Kind, words: str) -> None:
    ending = look_at(pod, COMPUTE).ending
    assert ending is not None
    assert (ending.kind, words in ending.sentence) == (kind, True), ending
    assert ending.sentence.endswith(".") or kind == "finished"


def test_an_out_of_memory_machine_is_not_a_limit_of_the_step() -> None:
    ending = look_at(ended(137, "OOMKilled"), Compute()).ending
    assert ending is not None
    assert "its machine ran out of memory" in ending.sentence


def test_a_preparing_container_that_fails_is_named() -> None:
    failed = [{"name": "mesh", "state": {"terminated": {"exitCode": 2}}}]
    ending = look_at(a_pod(phase="Failed", initContainerStatuses=failed), COMPUTE).ending
    assert ending is not None
    assert "'mesh'" in ending.sentence


@pytest.mark.parametrize(
    ("pod", "patience", "words"),
    [
        (waiting("ContainerCreating"), "any", ""),
        (
            waiting("ErrImagePull", "manifest unknown"),
            "start",
            "'registry/flights:1' cannot be pulled: manifest unknown.",
        ),
        (waiting("ImagePullBackOff", "Back-off"), "start", "'registry/flights:1' cannot be pulled"),
        (waiting("InvalidImageName", "bad"), "none", "cannot be used: bad"),
        (waiting("ErrImageNeverPull"), "none", "cannot be used"),
        (waiting("CreateContainerConfigError", 'secret "x" not found'), "start", 'secret "x" not found'),
        (
            a_pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available."}]),
            "placement",
            "It waits for a machine: 0/3 nodes are available.",
        ),
        (a_pod(), "any", ""),
    ],
)
def test_waits(pod: dict[str, Any], patience: str, words: str) -> None:
    look = look_at(pod, COMPUTE)
    assert look.ending is None
    assert not look.runs
    assert (look.patience, words in look.sentence) == (patience, True), look


def test_running() -> None:
    assert look_at(a_pod({"running": {}}, phase="Running"), COMPUTE).runs


def test_a_pod_that_was_taken_away_says_when_and_by_whom() -> None:
    assert lost(a_pod()).sentence == "Its pod was taken away before it ran anything."
    assert lost(a_pod({"running": {}}), "Preempted by x").sentence.endswith("had started: Preempted by x.")


@pytest.mark.parametrize(("kind", "ending"), [("Complete", "finished"), ("Failed", "vanished")])
def test_a_job_tells_its_end_when_its_pod_is_gone(kind: str, ending: str) -> None:
    found = job_ending({"status": {"conditions": [{"type": kind, "status": "True"}]}})
    assert found is not None
    assert found.kind == ending
    assert job_ending({"status": {}}) is None
