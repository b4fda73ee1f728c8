"""Steps that are too long for a variable: kept in an object, from which a worker reads the one that is its own."""

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urldefrag, urlsplit

from platform_core.compute.attempts import STEP_VARIABLE
from platform_core.errors import NotFoundError

STEP_FROM_VARIABLE = "HEADRACE_STEP_FROM"  # s3://bucket/key#index; without an index, that of the array's child
ARRAY_INDEX_VARIABLE = "AWS_BATCH_JOB_ARRAY_INDEX"
_WIDTH = 20  # digits of an offset


def take_payload() -> str:
    """The step that this worker is to execute. Its variables are gone afterwards: what the step starts is no worker."""
    written, address = (os.environ.pop(name, "") for name in (STEP_VARIABLE, STEP_FROM_VARIABLE))
    return written or read_payload(address)


def bundle(payloads: Sequence[str]) -> bytes:
    """Many payloads, none empty, as one object: where each begins and the last one ends, then all of them.

    A child of an array of thousands reads two small ranges of it, whatever its size.
    """
    contents = [payload.encode() for payload in payloads]
    offsets = [_WIDTH * (len(contents) + 1)]
    for content in contents:
        offsets.append(offsets[-1] + len(content))
    return b"".join([*(f"{offset:0{_WIDTH}}".encode() for offset in offsets), *contents])


def read_payload(address: str) -> str:
    """One payload out of a bundle.

    Raises:
        FileNotFoundError: nothing is at that address.
        NotFoundError: neither the address nor the environment says which.
    """
    import obstore

    url, index = urldefrag(address)
    bucket, key = _bucket_of(url), urlsplit(url).path.lstrip("/")
    first = _WIDTH * int(index or _own_index())
    at = bytes(obstore.get_range(bucket, key, start=first, end=first + 2 * _WIDTH))
    return bytes(obstore.get_range(bucket, key, start=int(at[:_WIDTH]), end=int(at[_WIDTH:]))).decode()


def _own_index() -> str:
    if index := os.environ.get(ARRAY_INDEX_VARIABLE):
        return index
    raise NotFoundError(
        f"This child of an array job cannot know which step is its own: {ARRAY_INDEX_VARIABLE} is not set, which AWS"
        " Batch sets. Where something else plays AWS Batch, give BatchBackend largest_array=1."
    )


def _bucket_of(url: str) -> Any:
    from obstore.store import from_url

    from platform_core.store.aws import object_store_options

    config: Any = object_store_options()
    client: Any = {"timeout": "60s", "connect_timeout": "5s", "allow_http": bool(config.pop("aws_allow_http", ""))}
    return from_url(f"s3://{urlsplit(url).netloc}", config=config, client_options=client)
