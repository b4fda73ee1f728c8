"""What Batch says of a job, in the words of the platform."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from platform_core.compute.attempts import Ending, Order
from platform_core.compute.backends.batch.needs import MIB, Need
from platform_core.compute.quantities import duration_text, size_text
from platform_core.compute.worker import EXIT_CANCELLED, EXIT_TIMEOUT

Job = Mapping[str, Any]

CANCELLED = "Cancelled by Headrace."  # the reason that is left with a job which the platform ended
TOO_BIG = "Ended by Headrace: no machine of the queue is large enough."
_KILLED = 137

# Reasons that a queue gives for a job which can never start there.
_IMPOSSIBLE = re.compile(
    r"MISCONFIGURATION:(COMPUTE_ENVIRONMENT_MAX_RESOURCE|JOB_RESOURCE_REQUIREMENT|EC2_INSTANCE_CONFIGURATION\w*)"
)
_MACHINE = re.compile(
    r"Host EC2|Spot Task was interrupted|Spot interruption|DockerTimeoutError|CannotInspectContainer"
    r"|CannotCreateContainer|network interface provisioning|InternalError|CAPACITY:",
    re.IGNORECASE,
)
_TIME = re.compile(r"attempt duration exceeded timeout", re.IGNORECASE)
_MEMORY = re.compile(r"OutOfMemory", re.IGNORECASE)
_PULL = re.compile(r"CannotPull\w*|pull image manifest", re.IGNORECASE)
_PULL_AGAIN = re.compile(
    r"toomanyrequests|rate ?limit|i/o timeout|timed out|connection reset|\b50[0234]\b", re.IGNORECASE
)
_SECRETS = re.compile(r"ResourceInitializationError|unable to (pull|retrieve) secret|fetching secret", re.IGNORECASE)
_START = re.compile(r"CannotStartContainer", re.IGNORECASE)


def is_impossible(job: Job) -> bool:
    """Whether the queue says of a waiting job that it will never start."""
    return bool(_IMPOSSIBLE.search(job.get("statusReason", "")))


def ending_of(job: Job, order: Order, need: Need, unwanted: bool = False) -> Ending:
    """How a job of one order ended.

    Args:
        job: as `DescribeJobs` tells of it, in the state SUCCEEDED or FAILED.
        unwanted: whether this process asked for its end.
    """
    if job["status"] == "SUCCEEDED":
        return Ending("finished")
    why = reason_of(job)
    for pattern, tell in _BY_REASON:
        if pattern.search(why) and not (unwanted and tell is _vanished):
            return tell(why, order, need)
    if unwanted or CANCELLED in why:
        return Ending("cancelled", "It was cancelled.")
    return _by_exit_code(job, why, order)


def reason_of(job: Job) -> str:
    """Everything that Batch says about why, from the job and from its last attempt."""
    last = _last_attempt(job)
    container = job.get("container", {})
    said = [
        job.get("statusReason"),
        last.get("statusReason"),
        last.get("container", {}).get("reason"),
        container.get("reason"),
    ]
    return "; ".join(dict.fromkeys(text for text in said if text))


def log_stream_of(job: Job) -> str:
    """Where the last attempt printed to; nothing when it never began."""
    last = _last_attempt(job).get("container", {}).get("logStreamName")
    return last or job.get("container", {}).get("logStreamName") or ""


def waiting_sentence(job: Job, queue: str, need: Need) -> str:
    """What a job waits for that has been ready to run for long."""
    reason = job.get("statusReason", "")
    said = f" AWS Batch says: {reason}" if reason else ""
    return f"It waits for a machine in the queue {_short(queue)} with {need} free.{said}"


def impossible_sentence(job: Job, queue: str, need: Need) -> str:
    return (
        f"No machine of the queue {_short(queue)} is large enough for {need}: lower Compute(cpu=..., memory=...,"
        f" gpu=...) or use a profile with larger machines. AWS Batch says: {job.get('statusReason', '')}"
    )


def _by_exit_code(job: Job, why: str, order: Order) -> Ending:
    code = _exit_code(job)
    by_request = job.get("isTerminated") or job.get("isCancelled")
    if code == EXIT_TIMEOUT:
        return _timeout(why, order)
    if code == EXIT_CANCELLED or (by_request and code in (None, _KILLED)):
        return Ending("cancelled", f"The job was ended in AWS Batch: {why or 'no reason was given'}.")
    if code is None:
        return Ending("vanished", f"The job ended in AWS Batch without a word of the step: {why or 'no reason given'}.")
    if code == _KILLED:
        return Ending("vanished", f"The step's process was killed from outside. AWS Batch says: {why or 'nothing'}.")
    return Ending("failed", f"The step's process ended with exit code {code}.")


def _vanished(why: str, _order: Order, _need: Need) -> Ending:
    return Ending("vanished", f"The machine under it was lost or reclaimed. AWS Batch says: {why}.")


def _timeout(_why: str, order: Order, _need: Need | None = None) -> Ending:
    seconds = order.compute.timeout_seconds
    limit = f" of {duration_text(seconds)}" if seconds else ""
    return Ending("timeout", f"It ran longer than its timeout{limit}: make it faster or raise Compute(timeout=...).")


def _memory(_why: str, _order: Order, need: Need) -> Ending:
    limit = size_text(need.memory * MIB)
    return Ending("memory", f"killed for memory at {limit} of {limit}: ask for more with Compute(memory=...)")


def _image(why: str, order: Order, need: Need) -> Ending:
    if _PULL_AGAIN.search(why):
        return _vanished(why, order, need)
    name = order.compute.image or "of the deployment"
    return Ending(
        "refused",
        f"The image {name} cannot be pulled: check that it exists and that the execution role may read it."
        f" AWS Batch says: {why}.",
    )


def _secret(why: str, order: Order, _need: Need) -> Ending:
    names = ", ".join(sorted(order.secrets)) or "none"
    return Ending(
        "refused",
        f"The container got neither image nor secrets (secrets of this step: {names}): check the ARNs in the profile"
        f" and that the execution role may read them. AWS Batch says: {why}.",
    )


def _start(why: str, _order: Order, _need: Need) -> Ending:
    return Ending("refused", f"The image cannot start a step: it has no such interpreter. AWS Batch says: {why}.")


# In this order: a reclaimed machine also ends what runs on it, with whatever exit code.
_BY_REASON: tuple[tuple[re.Pattern[str], Callable[[str, Order, Need], Ending]], ...] = (
    (_IMPOSSIBLE, lambda why, _order, need: Ending("refused", f"The queue has no machine for {need}: {why}.")),
    (_PULL, _image),
    (_SECRETS, _secret),
    (_MACHINE, _vanished),
    (_TIME, _timeout),
    (_MEMORY, _memory),
    (_START, _start),
)


def _last_attempt(job: Job) -> Mapping[str, Any]:
    attempts = job.get("attempts") or [{}]
    return attempts[-1]  # type: ignore[no-any-return]


def _exit_code(job: Job) -> int | None:
    last: int | None = _last_attempt(job).get("container", {}).get("exitCode")
    return job.get("container", {}).get("exitCode") if last is None else last


def _short(queue: str) -> str:
    return queue.rpartition("/")[2]
