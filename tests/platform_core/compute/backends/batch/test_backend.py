"""The four verbs against the double: what a step's life in Batch looks like from the executor."""

import json
import time

import pytest

from platform_core.compute.attempts import Order
from platform_core.compute.backends.batch.backend import BatchBackend
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute
from platform_core.errors import DefinitionError, SettingsError
from tests.platform_core.compute.backends.batch.conftest import Make
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.pretended import Script
from tests.platform_core.compute.backends.batch.world import LABELS, S3, News, an_order, partitions


def test_a_step_waits_runs_and_finishes(double: Double, backend: BatchBackend, news: News) -> None:
    double.plan = lambda request, index: Script(runnable=0.8, running=0.6)
    order = an_order()
    backend.launch([order])
    assert news.ending(order).kind == "finished"
    assert news.states(order) == ["waiting", "running", "ended"]
    assert "waits for a machine in the queue queue with 2 cpu, 4 GiB free" in news.changes[0].sentence


def test_a_job_carries_what_the_order_says(double: Double, backend: BatchBackend, news: News) -> None:
    order = an_order(compute=Compute(cpu=1.5, memory="1GiB", gpu=1, timeout="10min"))
    backend.launch([order])
    news.ending(order)
    (request,) = double.submitted
    resources = {each["type"]: each["value"] for each in request["containerOverrides"]["resourceRequirements"]}
    environment = {each["name"]: each["value"] for each in request["containerOverrides"]["environment"]}
    assert resources == {"VCPU": "2", "MEMORY": "1024", "GPU": "1"}
    assert environment == {"GREETING": "hello", "HEADRACE_STEP": order.payload, "HEADRACE_STEP_TIMEOUT": "600"}
    assert request["timeout"] == {"attemptDurationSeconds": 720}
    assert LABELS.items() <= request["tags"].items()
    assert double.definitions[0]["retryStrategy"] == {"attempts": 1}


def test_partitions_of_a_step_become_one_array(double: Double, backend: BatchBackend, news: News, s3: S3) -> None:
    double.plan = lambda request, index: Script(exit_code=3 if index == 7 else 0, log=(f"child {index}",))
    orders = partitions(120)
    backend.launch(orders)
    endings = news.endings(orders)
    (request,) = double.submitted
    assert request["arrayProperties"] == {"size": 120}
    assert [index for index, ending in enumerate(endings) if ending.kind == "failed"] == [7]
    assert endings[7].log == "child 7"
    assert endings[7].sentence == "The step's process ended with exit code 3."


def test_orders_that_differ_in_more_are_jobs_of_their_own(double: Double, backend: BatchBackend, news: News) -> None:
    large = an_order(partition="large", compute=Compute(memory="64GiB"))
    orders = [*partitions(2), large, an_order("other"), an_order("third")]
    backend.launch(orders)
    news.endings(orders)
    assert sorted(request.get("arrayProperties", {}).get("size", 1) for request in double.submitted) == [1, 1, 1, 2]


def test_a_long_payload_goes_by_an_object_that_is_removed(
    double: Double, backend: BatchBackend, news: News, s3: S3, bucket: str
) -> None:
    double.plan = lambda request, index: Script(running=1.0)
    order = an_order(payload="x" * 30_000)
    backend.launch([order])
    news.until(lambda: bool(double.submitted))
    environment = {each["name"]: each["value"] for each in double.submitted[0]["containerOverrides"]["environment"]}
    assert environment["HEADRACE_STEP_FROM"].startswith(f"s3://{bucket}/compute/headrace-")
    assert "HEADRACE_STEP" not in environment
    assert len(s3.keys(bucket)) == 2
    news.ending(order)
    news.until(lambda: len(s3.keys(bucket)) == 1)
    backend.close()
    assert s3.keys(bucket) == []


def test_variables_beyond_what_batch_takes_are_refused(backend: BatchBackend, news: News) -> None:
    order = an_order(variables={"LONG": "x" * 9000})
    backend.launch([order])
    ending = news.ending(order)
    assert ending.kind == "refused"
    assert "environment variables of this step take 9," in ending.sentence


def test_a_definition_is_registered_once_and_reused(double: Double, make: Make) -> None:
    orders = [an_order(f"step-{index}") for index in range(20)]
    for few in (orders[:10], orders[10:]):
        backend = make()
        news = News(backend)
        backend.launch(few)
        news.endings(few)
    assert double.calls["registerjobdefinition"] == 1
    assert double.definitions[0]["jobDefinitionName"].startswith("headrace-")


def test_run_workers_at_the_same_time_end_with_one_definition(double: Double, make: Make) -> None:
    backends = [make() for _ in range(5)]
    told = [News(backend) for backend in backends]
    orders = [an_order(f"step-{index}") for index in range(5)]
    for backend, order in zip(backends, orders, strict=True):
        backend.launch([order])
    assert {news.ending(order).kind for news, order in zip(told, orders, strict=True)} == {"finished"}
    assert sum(known["status"] == "ACTIVE" for known in double.definitions) == 1


def test_a_definition_that_somebody_deregistered_is_registered_again(double: Double, backend: BatchBackend) -> None:
    news = News(backend)
    for number in (1, 2):
        order = an_order(number=number)
        backend.launch([order])
        assert news.ending(order).kind == "finished"
        double.definitions[0]["status"] = "INACTIVE"
    assert len(double.definitions) == 2


def test_secrets_are_named_in_the_definition_and_nowhere_else(double: Double, backend: BatchBackend) -> None:
    news = News(backend)
    order = an_order(secrets={"PASSWORD": "arn:aws:secretsmanager:us-east-1:1:secret:p"})
    backend.launch([order])
    news.ending(order)
    assert double.definitions[0]["containerProperties"]["secrets"] == [
        {"name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:1:secret:p"}
    ]
    assert "PASSWORD" not in json.dumps(double.submitted)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (an_order(secrets={"PASSWORD": ""}), "The secret PASSWORD has no ARN"),
        (an_order(profile=Profile(options={"queue": "nowhere"})), "Job queue nowhere does not exist"),
        (an_order(profile=Profile(options={"queue": "closed"})), "Cannot submit job to disabled job queue"),
        (an_order(profile=Profile(options={"que": "queue"})), "Did you mean queue?"),
        (an_order(profile=Profile(options={"platform": "FARGATE"}), compute=Compute(gpu=1)), "Fargate has no GPUs"),
    ],
)
def test_what_can_never_start_is_refused(
    double: Double, backend: BatchBackend, news: News, order: Order, said: str
) -> None:
    double.queues["closed"] = {"state": "DISABLED"}
    backend.launch([order])
    ending = news.ending(order)
    assert ending.kind == "refused"
    assert said in ending.sentence


def test_a_step_too_large_for_every_machine_is_refused_and_ended(
    double: Double, backend: BatchBackend, news: News
) -> None:
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - no instance is like that"
    double.plan = lambda request, index: Script(runnable=60, waiting_reason=reason)
    orders = partitions(30, compute=Compute(cpu=999))
    backend.launch(orders)
    assert {ending.kind for ending in news.endings(orders)} == {"refused"}
    assert "is large enough for 999 cpu, 2 GiB" in news.changes[0].sentence
    news.until(lambda: all(job.stopped for job in double.jobs.values() if job.index is not None))
    assert double.calls["terminatejob"] == 1


def test_a_wait_for_capacity_is_told_with_the_reason(double: Double, backend: BatchBackend, news: News) -> None:
    reason = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - no p4d left"
    double.plan = lambda request, index: Script(runnable=0.5, waiting_reason=reason)
    order = an_order()
    backend.launch([order])
    news.ending(order)
    assert news.changes[0].state == "waiting"
    assert "no p4d left" in news.changes[0].sentence


def test_cancelling_ends_what_runs_what_waits_and_what_was_not_submitted(
    double: Double, backend: BatchBackend, news: News
) -> None:
    double.plan = lambda request, index: Script(runnable=60 if "waits" in request["jobName"] else 0, running=60)
    orders = [an_order("runs"), an_order("waits"), *partitions(50)]
    backend.launch(orders)
    news.until(lambda: len(double.submitted) == 3 and any(change.state == "running" for change in news.changes))
    late = an_order("late")
    backend.launch([late])
    backend.terminate([order.attempt for order in [*orders, late]])
    assert {ending.kind for ending in news.endings([*orders, late])} == {"cancelled"}
    assert double.calls["terminatejob"] <= 4  # one for the whole array


def test_one_child_of_an_array_can_be_ended_alone(double: Double, backend: BatchBackend, news: News) -> None:
    double.plan = lambda request, index: Script(running=60 if index == 3 else 1.0)
    orders = partitions(5)
    backend.launch(orders)
    news.until(lambda: "running" in news.states(orders[3]))
    backend.terminate([orders[3].attempt])
    assert [ending.kind for ending in news.endings(orders)] == ["finished"] * 3 + ["cancelled", "finished"]


def test_unknown_and_ended_attempts_are_left_alone(double: Double, backend: BatchBackend, news: News) -> None:
    order = an_order()
    backend.launch([order])
    news.ending(order)
    backend.terminate([order.attempt, an_order("unknown").attempt])
    time.sleep(0.3)
    assert double.calls["terminatejob"] == 0
    assert backend.changes() == []


def test_a_backend_is_made_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    BatchBackend("s3://bucket/prefix").close()
    with pytest.raises(SettingsError, match=r"must be s3://bucket/prefix, not '/tmp'"):
        BatchBackend("/tmp")
    with pytest.raises(DefinitionError, match="Did you mean queue"):
        BatchBackend("s3://bucket", options={"queu": "x"})


def test_a_defect_of_the_backend_ends_the_attempt(
    backend: BatchBackend, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object) -> str:
        raise ZeroDivisionError("of our own")

    monkeypatch.setattr(backend._launcher._definitions, "arn", broken)
    order = an_order()
    backend.launch([order])
    ending = news.ending(order)
    assert (ending.kind, "by its own fault" in ending.sentence) == ("refused", True)


def test_what_is_kept_for_a_run_is_removed_when_it_is_over_and_not_before(
    double: Double, make: Make, s3: S3, bucket: str
) -> None:
    double.plan = lambda request, index: Script(running=60 if "runs" in request["jobName"] else 0)
    first, orders = make(), [an_order("ends"), an_order("runs")]
    first.launch(orders)
    News(first).ending(orders[0])
    first.close()
    assert len(s3.keys(bucket)) == 1
    second = make()
    news = News(second)
    second.launch([orders[1]])
    news.until(lambda: news.states(orders[1]) == ["running"])
    second.terminate([orders[1].attempt])
    news.ending(orders[1])
    second.close()
    assert s3.keys(bucket) == []
