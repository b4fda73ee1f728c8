"""Writing a gigabyte to S3 and reading it, against the same objects moved by obstore, polars and pyarrow alone.

The server is `plain_s3`, on this machine: moto's would measure itself, rclone's answers ranges with whole objects. The
cache is off, so that every read is a first one. Each contender ends with the same thing, a whole table in memory;
only the platform has looked at checksums on the way. The README says by how much the claim is missed.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.tables import WHO, mixed_table, workplace
from platform_core.catalog.values import Version
from platform_core.store.aws import arrow_filesystem, object_store_options
from platform_core.store.layout import compression
from platform_core.store.s3 import BLOCK, REQUESTS, S3Store
from platform_core.store.values import Target, read_versions, write_version

STORE = "s3://bench/store"
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1", "HEADRACE_CACHE": "off",
    "HEADRACE_STORE": STORE, "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
}  # fmt: skip
SUBJECT, REFERENCE = "headrace, read polars.DataFrame", "obstore and polars, read"
TARGET = Target(WHO, "bench/table")


def main() -> Comparison:
    with workplace() as folder, _server(folder / "objects"):
        store, frame = S3Store(STORE), pl.DataFrame(pl.from_arrow(mixed_table()))
        version = write_version(store, frame, TARGET)
        contenders = [
            Contender(SUBJECT, lambda: read_versions(store, [version], pl.DataFrame)),
            Contender("headrace, read pyarrow.Table", lambda: read_versions(store, [version], pa.Table)),
            *_raw_readers(store, version),
            Contender("headrace, write polars.DataFrame", lambda: write_version(store, frame, TARGET)),
            Contender("obstore and polars, write", lambda: _raw_write(store._client, frame)),
            Contender("pyarrow.fs, write", lambda: _arrow_write(frame)),
        ]
        samples = interleaved(contenders)
    return Comparison(
        claim="A first read from S3, proven by checksum, takes at most 1.11 times obstore and polars alone",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1 / 0.9,
        samples=samples,
    )


def _raw_readers(store: S3Store, version: Version) -> list[Contender]:
    filesystem, uris = arrow_filesystem(), [store.uri(file.key) for file in version.files]
    paths = [uri.removeprefix("s3://") for uri in uris]

    def arrow() -> pa.Table:
        return pa.concat_tables(pq.read_table(path, filesystem=filesystem) for path in paths)

    def polars() -> pl.DataFrame:
        options = object_store_options()
        return pl.scan_parquet(uris, storage_options=options, credential_provider=None, glob=False).collect()

    return [
        Contender(REFERENCE, lambda: _raw_read(store._client, version)),
        Contender("pyarrow.fs, read", arrow),
        Contender("polars alone, read", polars),
    ]


def _raw_read(client: Any, version: Version) -> pl.DataFrame:
    import obstore

    def block(key: str, start: int, end: int) -> bytes:
        return bytes(obstore.get_range(client, key, start=start, end=end))

    frames = []
    with ThreadPoolExecutor(REQUESTS) as pool:
        for file in version.files:
            starts = range(0, file.size, BLOCK)
            pieces = pool.map(lambda at, file=file: block(file.key, at, min(at + BLOCK, file.size)), starts)
            frames.append(pl.read_parquet(io.BytesIO(b"".join(pieces))))
    return pl.concat(frames)


def _arrow_write(frame: pl.DataFrame) -> None:
    filesystem = arrow_filesystem()
    pq.write_table(frame.to_arrow(), "bench/raw-arrow.parquet", filesystem=filesystem, compression=compression())


def _raw_write(client: Any, frame: pl.DataFrame) -> None:
    import obstore

    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression=compression())
    obstore.put(
        client, "raw.parquet", buffer.getvalue(), use_multipart=True, chunk_size=BLOCK, max_concurrency=REQUESTS
    )


@contextmanager
def _server(folder: Path) -> Iterator[None]:
    """In a process of its own, so that it takes no time from whoever is measured."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.plain_s3", str(folder)], stdout=subprocess.PIPE, text=True
    )
    before = dict(os.environ)
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port:
            raise BenchmarkError("The server of objects does not start.")
        os.environ.update(SETTINGS, AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        process.terminate()
        process.wait()
