"""The double refuses what Batch refuses, or the tests that stand on it would prove nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.pretended import Script

RESOURCES = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]
CONTAINER = {"image": "i", "command": ["x"], "resourceRequirements": RESOURCES}
DEFINITION = {"jobDefinitionName": "one", "type": "container", "containerProperties": CONTAINER}
JOB = {"jobName": "a-job", "jobQueue": "queue", "jobDefinition": "one:1"}


@pytest.fixture
def double() -> Iterator[Double]:
    made = Double(plan=lambda request, index: Script(runnable=60))
    assert made.answer("registerjobdefinition", DEFINITION)[0] == 200
    yield made
    made.close()


def _overrides(**said: Any) -> Mapping[str, Any]:
    return {**JOB, "containerOverrides": said}


@pytest.mark.parametrize(
    ("verb", "request_"),
    [
        ("registerjobdefinition", {**DEFINITION, "jobDefinitionName": "-wrong"}),
        ("registerjobdefinition", {**DEFINITION, "platformCapabilities": ["FARGATE"]}),
        ("registerjobdefinition", {**DEFINITION, "containerProperties": {"image": "i"}}),
        ("registerjobdefinition", {**DEFINITION, "retryStrategy": {"attempts": 11}}),
        ("submitjob", {**JOB, "jobName": "x" * 129}),
        ("submitjob", {**JOB, "jobName": "a job"}),
        ("submitjob", {**JOB, "jobQueue": "none"}),
        ("submitjob", {**JOB, "jobDefinition": "two:1"}),
        ("submitjob", {**JOB, "timeout": {"attemptDurationSeconds": 59}}),
        ("submitjob", {**JOB, "arrayProperties": {"size": 1}}),
        ("submitjob", {**JOB, "arrayProperties": {"size": 10_001}}),
        ("submitjob", {**JOB, "shareIdentifier": "team"}),
        ("submitjob", {**JOB, "tags": {"aws:x": "y"}}),
        ("submitjob", {**JOB, "tags": {"x": "y" * 257}}),
        ("submitjob", {**JOB, "tags": {"x": "{}"}}),
        ("submitjob", _overrides(environment=[{"name": "X", "value": "x" * 8192}])),
        ("submitjob", _overrides(environment=[{"name": "AWS_BATCH_X", "value": "x"}])),
        ("submitjob", _overrides(resourceRequirements=[{"type": "VCPU", "value": "0.5"}])),
        ("submitjob", _overrides(command=[""])),
        ("describejobs", {"jobs": ["x"] * 101}),
        ("describejobs", {"jobs": []}),
        ("listjobs", {"jobQueue": "queue", "arrayJobId": "x"}),
        ("terminatejob", {"jobId": "unknown", "reason": "x"}),
        ("terminatejob", {"jobId": "unknown", "reason": ""}),
    ],
)
def test_what_batch_refuses_is_refused(double: Double, verb: str, request_: Mapping[str, Any]) -> None:
    status, error, _ = double.answer(verb, request_)
    assert (status, error) == (400, "ClientException")


def test_a_job_is_cancelled_only_before_it_starts(double: Double) -> None:
    waiting = double.answer("submitjob", JOB)[2]["jobId"]
    double.plan = lambda request, index: Script(running=60)
    running = double.answer("submitjob", JOB)[2]["jobId"]
    for job in (waiting, running):
        assert double.answer("canceljob", {"jobId": job, "reason": "x"})[0] == 200
    assert [double.jobs[job].status for job in (waiting, running)] == ["FAILED", "RUNNING"]
    double.answer("terminatejob", {"jobId": running, "reason": "x"})
    assert double.jobs[running].status == "FAILED"


def test_listings_come_in_pages_and_show_running_jobs_unless_asked_otherwise(double: Double) -> None:
    for _ in range(130):
        double.answer("submitjob", JOB)
    assert double.answer("listjobs", {"jobQueue": "queue"})[2]["jobSummaryList"] == []
    named = {"jobQueue": "queue", "filters": [{"name": "JOB_NAME", "values": ["A-*"]}]}
    first = double.answer("listjobs", named)[2]
    second = double.answer("listjobs", {**named, "nextToken": first["nextToken"]})[2]
    assert (len(first["jobSummaryList"]), len(second["jobSummaryList"])) == (100, 30)


def test_an_array_counts_its_children(double: Double) -> None:
    array = double.answer("submitjob", {**JOB, "arrayProperties": {"size": 3}})[2]["jobId"]
    double.answer("terminatejob", {"jobId": f"{array}:1", "reason": "x"})
    (told,) = double.answer("describejobs", {"jobs": [array]})[2]["jobs"]
    counts = told["arrayProperties"]["statusSummary"]
    assert (told["status"], counts["RUNNABLE"], counts["FAILED"]) == ("PENDING", 2, 1)
