"""Both kinds of stores, and S3 that runs in the tests' own process."""

from collections.abc import Iterator
from itertools import count

import pytest

from platform_core.settings import Settings, current_settings
from platform_core.store.opening import open_store
from platform_core.store.s3 import S3Store
from platform_core.store.store import Store
from tests.platform_core.store.buckets import Gate

_NUMBERS = count()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of moto's server."""
    server = pytest.importorskip("moto.server", reason="moto's server is not installed").ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_environment(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    given = {"ENDPOINT_URL": s3_server, "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "REGION": "us-east-1"}
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return monkeypatch


@pytest.fixture
def bucket(s3_environment: pytest.MonkeyPatch, s3_server: str) -> str:
    import boto3

    name = f"bucket-{next(_NUMBERS)}"
    boto3.client("s3", endpoint_url=s3_server).create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_store(bucket: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("HEADRACE_STORE", f"s3://{bucket}/some/prefix")
    opened = open_store(current_settings().store)
    assert isinstance(opened, S3Store)
    return opened


@pytest.fixture
def gate(s3_environment: pytest.MonkeyPatch, s3_server: str) -> Iterator[Gate]:
    """A server that can be told to fail. Use before a store is opened."""
    opened = Gate(s3_server)
    s3_environment.setenv("AWS_ENDPOINT_URL", opened.url)
    s3_environment.delenv("AWS_ENDPOINT_URL_S3", raising=False)  # of a server that other tests keep running
    yield opened
    opened.close()


@pytest.fixture(params=["local", "s3"])
def any_store(request: pytest.FixtureRequest, settings: Settings) -> Store:
    """A store of each kind."""
    found: Store = request.getfixturevalue("store" if request.param == "local" else "s3_store")
    return found
