"""What the cluster's events say."""

from typing import Any

from platform_core.compute.backends.kubernetes.events import look_at_job, look_at_pod, newest, taken_away

QUOTA = (
    'Error creating: pods "x" is forbidden: exceeded quota: small, requested: limits.cpu={asked},limits.memory=1Gi,'
    " used: limits.cpu=1,limits.memory=0, limited: limits.cpu=2,limits.memory=2Gi"
)


def event(reason: str, message: str = "", when: str = "2026-11-21T00:00:00Z") -> dict[str, Any]:
    about = {"kind": "Pod", "name": "p"}
    return {"reason": reason, "message": message, "lastTimestamp": when, "involvedObject": about, "metadata": {}}


def test_a_quota_in_use_is_waited_for() -> None:
    look = look_at_job(event("FailedCreate", QUOTA.format(asked="1500m")))
    assert look is not None
    assert look.patience == "any"
    assert look.sentence.startswith("It waits for the quota 'small'")


def test_a_quota_too_small_is_never_waited_for() -> None:
    look = look_at_job(event("FailedCreate", QUOTA.format(asked="4")))
    assert look is not None
    assert look.patience == "none"
    assert "4 of limits.cpu, which is more than the 2 that the quota 'small' allows" in look.sentence


def test_other_refusals_may_be_mended() -> None:
    look = look_at_job(event("FailedCreate", 'serviceaccount "x" not found'))
    assert look is not None
    assert look.patience == "start"
    assert look_at_job(event("SuccessfulCreate")) is None


def test_a_volume_that_cannot_be_mounted_is_told() -> None:
    look = look_at_pod(event("FailedMount", 'configmap "x" not found'))
    assert look is not None
    assert 'configmap "x" not found' in look.sentence
    assert look_at_pod(event("BackOff")) is None


def test_the_newest_counts() -> None:
    old, new = event("FailedMount", "old"), event("FailedMount", "new", "2026-11-21T00:00:01Z")
    assert newest([new, old])["Pod", "p"] is new


def test_who_took_a_pod_away() -> None:
    assert taken_away([event("Scheduled"), event("Preempted", "by x.")]) == "Preempted, by x"
    assert taken_away([event("Killing")]) == ""
