"""What tests of the Batch backend stand on: S3, orders, and somebody who waits for news as the executor does."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Any

import pytest

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.batch.backend import BatchBackend
from platform_core.compute.payloads import ARRAY_INDEX_VARIABLE
from platform_core.compute.profiles import Profile
from platform_core.compute.spec import Compute

_BUCKETS = count()


class S3:
    """moto's server, which is right on conditions and ranges."""

    def __enter__(self) -> "S3":
        moto = pytest.importorskip("moto.server", reason="moto's server is not installed")
        self._server = moto.ThreadedMotoServer(port=0)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.variables = {"AWS_ENDPOINT_URL_S3": self.url, **KEYS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def new_bucket(self) -> str:
        name = f"compute-{next(_BUCKETS)}"
        self.client.create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]

    @property
    def client(self) -> Any:
        import boto3

        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
        return boto3.session.Session().client("s3", endpoint_url=self.url, **keys)


KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
LABELS = {"namespace": "user/tess", "owner": "team:flights", "asset": "flights/delays", "run": "run-1"}


def an_order(step: str = "delays", partition: str = "", number: int = 1, **said: Any) -> Order:
    given: dict[str, Any] = {"compute": Compute(cpu=2, memory="4GiB"), "profile": Profile(), "labels": LABELS}
    given |= {"payload": f"the step {step} {partition}", "variables": {"GREETING": "hello"}}
    return Order(attempt=Attempt("run-1", step, number, partition), **given | said)


def partitions(number: int, **said: Any) -> list[Order]:
    return [an_order(partition=f"day-{index}", **said) for index in range(number)]


class News:
    """Hears what a backend tells, as the executor does."""

    def __init__(self, backend: BatchBackend) -> None:
        self._backend = backend
        self._woken = threading.Event()
        backend.wake = self._woken.set
        self.changes: list[Change] = []

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"nothing happened after {self.changes[-5:]}"
            self._woken.wait(0.5)
            self._woken.clear()
            self.changes += self._backend.changes()

    def endings(self, orders: Iterable[Order], seconds: float = 20.0) -> list[Ending]:
        wanted = [order.attempt for order in orders]
        self.until(lambda: set(wanted) <= set(self._ended()), seconds)
        ended = self._ended()
        return [ended[attempt] for attempt in wanted]

    def ending(self, order: Order, seconds: float = 20.0) -> Ending:
        return self.endings([order], seconds)[0]

    def states(self, order: Order) -> list[str]:
        return [change.state for change in self.changes if change.attempt == order.attempt]

    def _ended(self) -> Mapping[Attempt, Ending]:
        return {change.attempt: change.ending for change in self.changes if change.ending}


def make_queue(name: str) -> None:
    """A queue of moto's, whose jobs are containers of the engine at `DOCKER_HOST`."""
    import boto3

    batch = boto3.client("batch")
    if batch.describe_job_queues(jobQueues=[name])["jobQueues"]:
        return
    role = boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made = batch.create_compute_environment(
        computeEnvironmentName=name, type="UNMANAGED", state="ENABLED", serviceRole=role
    )
    order = [{"order": 1, "computeEnvironment": made["computeEnvironmentArn"]}]
    batch.create_job_queue(jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order)


@contextmanager
def numbered_children() -> Iterator[None]:
    """Lets moto tell each child of an array its index, as AWS does.

    moto also adds the id of whichever child it starts, or describes, to the one list of variables that all share.
    """
    models = pytest.importorskip("moto.batch.models", reason="moto's server is not installed")
    given = models.Job._get_container_property

    def with_index(job: Any, name: str, default: Any) -> Any:
        found, index = given(job, name, default), job.array_properties.get("index")
        if name != "environment" or index is None:
            return found
        own = {ARRAY_INDEX_VARIABLE: str(index), "AWS_BATCH_JOB_ID": job.job_id}
        return [*found, *({"name": name, "value": value} for name, value in own.items())]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.Job, "_get_container_property", with_index)
        yield
