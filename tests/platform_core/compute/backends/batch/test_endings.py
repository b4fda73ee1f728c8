"""What Batch says of a job, and what a data scientist reads."""

from typing import Any

import pytest

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.batch.endings import CANCELLED, ending_of, log_stream_of
from platform_core.compute.backends.batch.needs import Need
from platform_core.compute.spec import Compute
from tests.platform_core.compute.backends.batch.world import an_order

EXITED = "Essential container in task exited"
RECLAIMED = "Host EC2 (instance i-0f1e2d3c) terminated."


def job(reason: str = EXITED, code: int | None = None, container: str = "", **said: Any) -> dict[str, Any]:
    last = {"reason": container} if container else {}
    last |= {} if code is None else {"exitCode": code}  # type: ignore[dict-item]
    attempt = {"container": last, "statusReason": reason}
    return {"status": "FAILED", "statusReason": reason, "attempts": [attempt], **said}


def told(of: dict[str, Any], unwanted: bool = False) -> Ending:
    order = an_order(compute=Compute(memory="4GiB", timeout="2h", image="team/image:1"), secrets={"KEY": "arn:aws:x"})
    return ending_of(of, order, Need(2, 4096, 0), unwanted)


@pytest.mark.parametrize(
    ("of", "kind", "said"),
    [
        (job(status="SUCCEEDED", code=0), "finished", ""),
        (job(code=3), "failed", "exit code 3"),
        (job(code=139), "failed", "exit code 139"),
        (job(code=137), "vanished", "was killed from outside"),
        (job(code=124), "timeout", "its timeout of 2 h: make it faster or raise Compute(timeout=...)"),
        (job("Job attempt duration exceeded timeout", 137), "timeout", "its timeout of 2 h"),
        (
            job(code=137, container="OutOfMemoryError: Container killed due to memory usage"),
            "memory",
            "killed for memory at 4 GiB of 4 GiB: ask for more with Compute(memory=...)",
        ),
        (job(RECLAIMED), "vanished", "i-0f1e2d3c"),
        (job(RECLAIMED, 143), "vanished", "lost or reclaimed"),
        (job("Your Spot Task was interrupted.", 143), "vanished", "reclaimed"),
        (job("Task failed to start", container="DockerTimeoutError: too long"), "vanished", "lost"),
        (
            job("Task failed to start", container="CannotPullContainerError: manifest unknown"),
            "refused",
            "The image team/image:1 cannot be pulled",
        ),
        (job("Task failed to start", container="CannotPullContainerError: toomanyrequests"), "vanished", "toomany"),
        (job("ResourceInitializationError: unable to pull secrets"), "refused", "secrets of this step: KEY"),
        (job("Task failed to start", container="CannotStartContainerError: no python"), "refused", "interpreter"),
        (job("Canceled by JobStateTimeLimit action due to reason: CAPACITY:X"), "vanished", "CAPACITY"),
        (
            job("Canceled by JobStateTimeLimit action due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"),
            "refused",
            "2 cpu, 4 GiB",
        ),
        (job("Somebody did it", 143, isTerminated=True), "cancelled", "Somebody did it"),
        (job("Somebody did it", isCancelled=True), "cancelled", "Somebody did it"),
        (job(CANCELLED, 143, isTerminated=True), "cancelled", "It was cancelled."),
        (job("Something new"), "vanished", "Something new"),
    ],
)
def test_every_end_has_its_kind_and_its_sentence(of: dict[str, Any], kind: str, said: str) -> None:
    ending = told(of)
    assert (ending.kind, said in ending.sentence) == (kind, True), ending


def test_who_asked_for_the_end_hears_that_it_was_cancelled() -> None:
    assert told(job(code=137), unwanted=True).kind == "cancelled"
    assert told(job(RECLAIMED), unwanted=True).kind == "cancelled"
    assert told(job(status="SUCCEEDED"), unwanted=True).kind == "finished"


def test_the_log_is_that_of_the_last_attempt() -> None:
    attempts = [{"container": {"logStreamName": name}} for name in ("first", "last")]
    assert log_stream_of({"attempts": attempts, "container": {"logStreamName": "other"}}) == "last"
    assert log_stream_of({"attempts": [], "container": {"logStreamName": "other"}}) == "other"
    assert log_stream_of({}) == ""
