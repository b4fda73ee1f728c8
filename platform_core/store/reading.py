"""Parquet files to the type of table that is asked for. Lazy types read only the columns and rows that are used."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.errors import UnsupportedValueError
from platform_core.store.store import Remote
from platform_core.store.tables import BATCH_ROWS, TABLE_TYPES, type_of

# From this many files on they are opened by several threads; fewer are read one by one, each by all processors.
MANY_FILES = 8


def read_table(paths: Sequence[Path], kind: Any) -> Any:
    """Parquet files as one table, in their order."""
    files = [str(path) for path in paths]
    if kind is pl.LazyFrame:
        return pl.scan_parquet(files, glob=False)
    if kind is pl.DataFrame:
        return pl.scan_parquet(files, glob=False).collect()  # quicker than `read_parquet`, which takes other paths
    if kind is pa.Table:
        return _read_arrow(files)
    if kind is pa.RecordBatchReader:
        return _stream(files)
    if kind is type_of("pandas", "DataFrame"):
        return _read_arrow(files).to_pandas()
    if kind is type_of("duckdb", "DuckDBPyRelation"):
        return duckdb_connection().read_parquet(files)
    raise UnsupportedValueError(f"A table cannot be read as {kind}; annotate the parameter with {TABLE_TYPES}.")


def read_remote(remotes: Sequence[Remote], kind: Any) -> Any:
    """Files in an object store as a lazy type: only ranges of them are read, those of the columns that are used."""
    uris = [uri for remote in remotes for uri in remote.uris]
    if kind is pl.LazyFrame:
        return pl.scan_parquet(uris, glob=False, storage_options=dict(remotes[0].options), credential_provider=None)
    # DuckDB's wheel cannot speak to object stores: it takes what it needs from pyarrow.
    paths = [uri.removeprefix("s3://") for uri in uris]
    return duckdb_connection().from_arrow(dataset_of(paths, remotes[0].filesystem()))


def read_contents(contents: Iterable[bytes], kind: Any) -> Any:
    """Parquet files that are in memory as one table; none when their columns differ."""
    if kind is pl.DataFrame:
        frames = [pl.scan_parquet(content).collect() for content in contents]
        return pl.concat(frames) if all(frame.schema == frames[0].schema for frame in frames) else None
    tables = [_read_file(pa.BufferReader(content)) for content in contents]
    if not all(table.schema.equals(tables[0].schema) for table in tables):
        return None
    table = pa.concat_tables(tables)
    return table if kind is pa.Table else table.to_pandas()


def _read_arrow(files: list[str]) -> pa.Table:
    """All of the files, each mapped: half of the processor time of pyarrow's datasets."""
    if len(files) < MANY_FILES:
        tables = [_read_file(file) for file in files]
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            tables = list(pool.map(_read_file, files))
    if all(table.schema.equals(tables[0].schema) for table in tables):
        return pa.concat_tables(tables)
    return dataset_of(files).to_table()  # partitions written at different times: in the columns of the first


def _read_file(file: Any) -> pa.Table:
    with pq.ParquetFile(file, memory_map=True) as parquet:
        return parquet.read()


def _stream(files: list[str]) -> pa.RecordBatchReader:
    """One batch after the other. pyarrow's datasets run ahead of their reader by hundreds of megabytes."""
    schemas = [pq.read_schema(file) for file in files]
    if not all(schema.equals(schemas[0]) for schema in schemas):
        return dataset_of(files).scanner(batch_readahead=4, fragment_readahead=1).to_reader()
    return pa.RecordBatchReader.from_batches(schemas[0], chain.from_iterable(map(_batches, files)))


def _batches(file: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file, pre_buffer=False) as parquet:
        yield from parquet.iter_batches(BATCH_ROWS)


def dataset_of(files: Sequence[str], filesystem: Any = None, format: str = "parquet") -> Any:
    import pyarrow.dataset

    return pyarrow.dataset.dataset(list(files), format=format, filesystem=filesystem)


def duckdb_connection() -> Any:
    connection = sys.modules["duckdb"].connect()
    connection.execute("set TimeZone = 'UTC'")  # otherwise a day begins when it does on this machine
    return connection
