"""What a pod's status means, for people. Pure: what the API tells in, a sentence out."""

from dataclasses import dataclass
from typing import Any, Literal

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.kubernetes.manifest import CONTAINER
from platform_core.compute.processes import ending_of
from platform_core.compute.quantities import duration_text, size_text
from platform_core.compute.spec import Compute
from platform_core.compute.worker import EXIT_CANCELLED, EXIT_FINISHED, EXIT_TIMEOUT

Pod = dict[str, Any]

# How long a wait makes sense: as long as it takes, for a start that looks misconfigured, for a machine, not at all.
Patience = Literal["any", "start", "placement", "none"]
_SIGNALLED = 128  # an exit code above it names the signal that ended the process
_SIGNALS = 65
_KILLED = 137
_MOST = 500  # characters of a message that is not ours


@dataclass(frozen=True)
class Look:
    """What a pod shows: it waits (for how long this makes sense), it runs, or it ended."""

    sentence: str = ""
    patience: Patience = "any"
    runs: bool = False
    ending: Ending | None = None


def look_at(pod: Pod, compute: Compute) -> Look:
    """Reads a pod's status."""
    status = pod.get("status") or {}
    state = _container(status).get("state") or {}
    if ended := state.get("terminated"):
        return Look(ending=_ending(pod, ended, compute))
    if status.get("phase") == "Succeeded":
        return Look(ending=Ending("finished"))
    if status.get("phase") == "Failed" or status.get("reason") == "NodeLost":
        return Look(ending=_ended_from_outside(pod, compute) or _without_reason(status))
    if "running" in state:
        return Look(runs=True)
    return _waiting(status)


def is_leaving(pod: Pod) -> bool:
    """Whether the pod was asked to end, by whomever."""
    return pod["metadata"].get("deletionTimestamp") is not None


def has_started(pod: Pod) -> bool:
    """Whether the step's process was ever started."""
    state = _container(pod.get("status") or {}).get("state") or {}
    return "running" in state or "terminated" in state


def lost(pod: Pod, why: str = "") -> Ending:
    """The end of a pod that somebody other than this platform removed; `why` is what the cluster's events say."""
    reason = _disruption(pod) or why
    when = "after its step had started" if has_started(pod) else "before it ran anything"
    return Ending("vanished", f"Its pod was taken away {when}{f': {_text(reason)}' if reason else ''}.")


def last_words(pod: Pod) -> str:
    """What of the log Kubernetes keeps in the status, for when the log itself is gone."""
    state = _container(pod.get("status") or {}).get("state") or {}
    return str((state.get("terminated") or {}).get("message") or "")


def job_ending(job: dict[str, Any]) -> Ending | None:
    """How a Job ended whose pod is gone; None while it has not."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("status") == "True" and condition["type"] == "Complete":
            return Ending("finished")
        if condition.get("status") == "True" and condition["type"] == "Failed":
            reason = _text(condition.get("message") or condition.get("reason") or "no reason given")
            return Ending("vanished", f"Its Job failed and its pod is gone: {reason}.")
    return None


def _container(status: dict[str, Any]) -> dict[str, Any]:
    found = [one for one in status.get("containerStatuses") or () if one["name"] == CONTAINER]
    return found[0] if found else {}


def _ending(pod: Pod, ended: dict[str, Any], compute: Compute) -> Ending:
    """The end of the step's container. One that ended well has finished, whatever happened around it."""
    code, reason = ended.get("exitCode", 1), ended.get("reason")
    if code == EXIT_FINISHED:
        return Ending("finished")
    if reason == "OOMKilled":
        return Ending("memory", _out_of_memory(compute))
    if reason in ("StartError", "ContainerCannotRun"):
        return Ending("refused", f"Its container cannot be started: {_text(ended.get('message', ''))}.")
    if outside := _ended_from_outside(pod, compute):
        return outside
    if code in (_KILLED, EXIT_CANCELLED) and (is_leaving(pod) or _disruption(pod)):
        return lost(pod)
    return _exit(code, reason, compute)


def _exit(code: int, reason: str | None, compute: Compute) -> Ending:
    if reason == "ContainerStatusUnknown":
        return Ending("vanished", "Its machine lost track of its container.")
    if code == EXIT_TIMEOUT:
        return Ending("timeout", _out_of_time(compute))
    if code == EXIT_CANCELLED:
        return Ending("vanished", "Its machine asked it to end.")
    if code == _KILLED:
        return Ending("vanished", "Its process was killed from outside: by hand, or by a machine without memory left.")
    number = code - _SIGNALLED
    how = ending_of(number if 0 < number < _SIGNALS else code << 8)
    return Ending("failed", f"Its process ended with {how}.")


def _out_of_memory(compute: Compute) -> str:
    if compute.memory_bytes is None:
        return "Killed because its machine ran out of memory: say how much it needs with Compute(memory=...)."
    size = size_text(compute.memory_bytes)
    return f"Killed for memory at {size} of {size}: ask for more with Compute(memory=...)."


def _out_of_time(compute: Compute) -> str:
    limit = duration_text(compute.timeout_seconds) if compute.timeout_seconds else "its time"
    return f"Ended after {limit}, the most that its timeout allows: give it more with Compute(timeout=...)."


def _ended_from_outside(pod: Pod, compute: Compute) -> Ending | None:
    """The end of a pod that its machine or the cluster put an end to, from the reason they give."""
    status = pod.get("status") or {}
    reason, message = status.get("reason") or "", _text(status.get("message") or "")
    node = (pod.get("spec") or {}).get("nodeName") or "its machine"
    if reason == "DeadlineExceeded":
        return Ending("timeout", _out_of_time(compute))
    if reason == "Evicted":
        return _evicted(message)
    if reason == "NodeLost":
        return Ending("vanished", f"The machine {node} under it stopped answering.")
    if reason in ("Shutdown", "NodeShutdown", "Terminated"):
        return Ending("vanished", f"The machine {node} under it was shut down.")
    return Ending("vanished", f"The machine {node} turned it down: {reason}, {message}.") if reason else None


def _evicted(message: str) -> Ending:
    """An eviction is the machine's fault, unless the step took more scratch space than it asked for."""
    if "exceeds the total limit" in message or "exceeds the limit" in message or "exceeded its local" in message:
        return Ending("failed", f"Evicted for its scratch space ({message}): ask for more with Compute(disk=...).")
    return Ending("vanished", f"Evicted from its machine: {message}.")


def _without_reason(status: dict[str, Any]) -> Ending:
    for one in status.get("initContainerStatuses") or ():
        ended = (one.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            how = f"exit code {ended['exitCode']}"
            return Ending("refused", f"The container '{one['name']}', which prepares its pod, ended with {how}.")
    return Ending("vanished", f"Its pod failed: {_text(status.get('message') or 'no reason given')}.")


def _disruption(pod: Pod) -> str:
    """Who takes the pod away, as clusters from 1.26 on tell."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "DisruptionTarget" and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "")
    return ""


def _waiting(status: dict[str, Any]) -> Look:
    for one in [*(status.get("initContainerStatuses") or ()), _container(status)]:
        waits = (one.get("state") or {}).get("waiting") or {}
        if look := _held(waits.get("reason", ""), _text(waits.get("message") or ""), one.get("image", "")):
            return look
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("status") == "False":
            return _unplaced(_text(condition.get("message") or condition.get("reason") or ""))
    return Look()


def _held(reason: str, message: str, image: str) -> Look | None:
    """Why a container is not started, where this is more than a matter of seconds."""
    if reason in ("InvalidImageName", "ErrImageNeverPull"):
        return Look(f"Its image '{image}' cannot be used: {message or reason}.", "none")
    if reason == "ErrImagePull":
        return Look(f"Its image '{image}' cannot be pulled: {message}.", "start")
    if reason == "ImagePullBackOff":
        return Look(f"Its image '{image}' cannot be pulled", "start")  # the why was in the message before
    if reason in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
        return Look(f"Its container cannot be made: {message or reason}.", "start")
    return None


def _unplaced(message: str) -> Look:
    return Look(f"It waits for a machine: {message}.", "placement")


def _text(message: str) -> str:
    """A message of the cluster as part of a sentence."""
    line = " ".join(message.split()).rstrip(".")
    return line if len(line) <= _MOST else f"{line[:_MOST]}…"
