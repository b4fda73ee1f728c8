"""Steps that are read from an object, as a child of an array does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_core.compute.attempts import STEP_VARIABLE
from platform_core.compute.payloads import ARRAY_INDEX_VARIABLE, STEP_FROM_VARIABLE, bundle, read_payload, take_payload
from platform_core.errors import NotFoundError
from tests.platform_core.compute.backends.batch.world import S3


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with S3() as started:
        yield started


@pytest.fixture
def bucket(server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    return server.new_bucket()


def test_a_payload_in_a_variable_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STEP_VARIABLE, "the step")
    assert take_payload() == "the step"
    assert STEP_VARIABLE not in os.environ


def test_every_payload_of_a_bundle_is_read_by_its_index(bucket: str) -> None:
    payloads = ["first", "2", "the third, with ümläuts", "x" * 100_000]
    _put(bucket, "some/payloads", bundle(payloads))
    assert [read_payload(f"s3://{bucket}/some/payloads#{index}") for index in range(4)] == payloads


def test_a_child_of_an_array_finds_its_own(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(bucket, "payloads", bundle([f"step {index}" for index in range(1000)]))
    monkeypatch.setenv(STEP_FROM_VARIABLE, f"s3://{bucket}/payloads")
    monkeypatch.setenv(ARRAY_INDEX_VARIABLE, "732")
    assert take_payload() == "step 732"


def test_a_child_that_is_not_told_its_index_says_so(bucket: str) -> None:
    _put(bucket, "payloads", bundle(["a step"]))
    with pytest.raises(NotFoundError, match=f"{ARRAY_INDEX_VARIABLE} is not set.* largest_array=1"):
        read_payload(f"s3://{bucket}/payloads")


def test_a_bundle_that_is_gone_is_named(bucket: str) -> None:
    with pytest.raises(FileNotFoundError, match="payloads"):
        read_payload(f"s3://{bucket}/payloads#0")


def test_the_worker_brings_no_library_before_it_forks() -> None:
    """A process with threads must not be forked, and the one that watches must stay small."""
    code = "import sys, platform_core.compute.worker; print(sorted({'obstore', 'boto3', 'dagster'} & set(sys.modules)))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _put(bucket: str, key: str, content: bytes) -> None:
    import boto3

    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
