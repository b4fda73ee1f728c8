"""A double of Batch, S3 beside it, and backends that talk to both."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from platform_core.compute.backends.batch.backend import BatchBackend
from tests.platform_core.compute.backends.batch.double import Double
from tests.platform_core.compute.backends.batch.world import S3, News

Make = Callable[..., BatchBackend]


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    with S3() as started:
        yield started


@pytest.fixture
def bucket(s3: S3) -> str:
    return s3.new_bucket()


@pytest.fixture
def double(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    double = Double(environment=s3.variables)
    variables = {"AWS_ENDPOINT_URL_BATCH": double.url, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": double.url}
    for name, value in {**s3.variables, **variables}.items():
        monkeypatch.setenv(name, value)
    yield double
    double.close()


@pytest.fixture
def make(double: Double, bucket: str) -> Iterator[Make]:
    """Makes backends, each as another run worker would have it."""
    made: list[BatchBackend] = []

    def make(**said: Any) -> BatchBackend:
        options = {"queue": "queue", "execution_role_arn": "arn:aws:iam::1:role/execution", **said.pop("options", {})}
        quick: dict[str, Any] = {
            "poll_seconds": 0.1,
            "patience_seconds": 0.3,
            "settle_seconds": 1.0,
            "image": "some/image",
        }
        made.append(BatchBackend(f"s3://{bucket}/compute", options=options, **quick | said))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(make: Make) -> BatchBackend:
    return make()


@pytest.fixture
def news(backend: BatchBackend) -> News:
    return News(backend)
