"""Writing to S3 and reading from it, against the same files moved by obstore alone."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import polars as pl

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.tables import WHO, mixed_table, workplace
from platform_core.catalog.values import Version
from platform_core.store import mirror
from platform_core.store.parquet import COMPRESSION
from platform_core.store.s3 import BLOCK, REQUESTS, S3Store
from platform_core.store.values import Target, read_versions, write_version

PORT, ROWS = 5123, 400_000  # moto's server is slow: a tenth of a gigabyte is enough to compare
SETTINGS = {
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_REGION": "us-east-1", "HEADRACE_CACHE": "off", "HEADRACE_STORE": "s3://bench/store",
}  # fmt: skip
SUBJECT, REFERENCE = "headrace, read", "obstore and polars, read"


def main() -> Comparison:
    with workplace(), _server():
        store, frame = S3Store("s3://bench/store"), pl.DataFrame(pl.from_arrow(mixed_table(ROWS)))
        version = write_version(store, frame, Target(WHO, "bench/table"))
        contenders = [
            Contender(SUBJECT, lambda: _read(store, version)),
            Contender(REFERENCE, lambda: _raw_read(store._client, version)),
            Contender("headrace, write", lambda: write_version(store, frame, Target(WHO, "bench/table"))),
            Contender("obstore and polars, write", lambda: _raw_write(store._client, frame)),
        ]
        samples = interleaved(contenders)
    return Comparison(
        claim="A first read from S3, proven by checksum, takes at most 1.11 times obstore and polars alone",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1 / 0.9,
        samples=samples,
    )


def _read(store: S3Store, version: Version) -> None:
    mirror._passing_mirror.cache_clear()  # nothing is here yet, as in a new process
    read_versions(store, [version], pl.DataFrame)


def _raw_read(client: Any, version: Version) -> None:
    import obstore

    def block(key: str, start: int, end: int) -> bytes:
        return bytes(obstore.get_range(client, key, start=start, end=end))

    with ThreadPoolExecutor(REQUESTS) as pool:
        for file in version.files:
            starts = range(0, file.size, BLOCK)
            pieces = pool.map(lambda at, file=file: block(file.key, at, min(at + BLOCK, file.size)), starts)
            pl.read_parquet(io.BytesIO(b"".join(pieces)))


def _raw_write(client: Any, frame: pl.DataFrame) -> None:
    import obstore

    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression=COMPRESSION)
    obstore.put(
        client, "raw.parquet", buffer.getvalue(), use_multipart=True, chunk_size=BLOCK, max_concurrency=REQUESTS
    )


@contextmanager
def _server() -> Iterator[None]:
    """moto's server in a process of its own, so that it takes no time from whoever is measured."""
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(PORT)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    before = dict(os.environ)
    os.environ.update(SETTINGS)
    try:
        _wait()
        import boto3

        boto3.client("s3", endpoint_url=SETTINGS["AWS_ENDPOINT_URL"]).create_bucket(Bucket="bench")
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        process.terminate()
        process.wait()


def _wait() -> None:
    for _ in range(100):
        try:
            urlopen(SETTINGS["AWS_ENDPOINT_URL"], timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise BenchmarkError("moto's server does not start; `make bench` installs it.")
