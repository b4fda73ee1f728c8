"""moto's Batch, which starts real containers: the whole way through boto3, S3, CloudWatch and an engine.

It gives no exit codes, no reasons and, without `numbered_children`, no array index: those are the double's to test.
"""

from typing import Any

import boto3
import pytest

from platform_core.compute.attempts import Order
from platform_core.compute.backends.batch.backend import BatchBackend
from tests.platform_core.compute.backends.batch.test_real_processes import TELLS
from tests.platform_core.compute.backends.batch.world import KEYS, S3, News, an_order, make_queue
from tests.platform_core.compute.support.images import IMAGE, VARIABLES, VOLUMES, need_engine

QUEUE = "containers"
SLEEPS = "import time; print('it runs', flush=True); time.sleep(60)"


@pytest.fixture
def moto(s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    need_engine()
    monkeypatch.setenv("MOTO_DOCKER_NETWORK_MODE", "host")
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3.url}.items():
        monkeypatch.setenv(name, value)
    make_queue(QUEUE)
    return s3


def _backend(bucket: str, code: str, **said: Any) -> BatchBackend:
    options = {"queue": QUEUE, "volumes": VOLUMES}
    return BatchBackend(
        f"s3://{bucket}/compute", image=IMAGE, options=options, command=("python", "-c", code), poll_seconds=0.3, **said
    )


def test_containers_read_their_steps_and_print_to_cloudwatch(moto: S3, bucket: str) -> None:
    backend = _backend(bucket, TELLS)
    variables = {**VARIABLES, **moto.variables, "GREETING": "hello"}
    orders = [an_order(variables=variables), an_order("long", payload="y" * 10_000, variables=variables)]
    backend.launch(orders)
    endings = News(backend).endings(orders, seconds=60)
    backend.close()
    # moto keeps the exit code to itself, and without one nobody can say that it was the step's own fault.
    assert [ending.kind for ending in endings] == ["vanished", "vanished"]
    assert [order.payload in ending.log for order, ending in zip(orders, endings, strict=True)] == [True, True]
    assert moto.keys(bucket) == []


def test_a_container_ends_well(moto: S3, bucket: str) -> None:
    backend = _backend(bucket, "print('done')")
    order = an_order()
    backend.launch([order])
    assert News(backend).ending(order, seconds=60).kind == "finished"
    backend.close()


def test_another_run_worker_adopts_a_container_and_ends_it(moto: S3, bucket: str) -> None:
    first, second = _backend(bucket, SLEEPS), _backend(bucket, SLEEPS)
    order = an_order("sleeps")
    _until_it_runs(first, order)
    news = _until_it_runs(second, order)
    second.terminate([order.attempt])
    assert news.ending(order, seconds=60).kind == "cancelled"
    listed = boto3.client("batch").list_jobs(jobQueue=QUEUE, filters=[{"name": "JOB_NAME", "values": ["headrace-*"]}])
    assert len([job for job in listed["jobSummaryList"] if "sleeps" in job["jobName"]]) == 1
    first.close()
    second.close()


def _until_it_runs(backend: BatchBackend, order: Order) -> News:
    news = News(backend)
    backend.launch([order])
    news.until(lambda: "running" in news.states(order), seconds=60)
    return news
