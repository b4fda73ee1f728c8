"""Tables to Parquet: in-memory ones as several files at a time, streams without being held.

Where files and row groups end depends on the rows alone, never on the machine: equal tables become equal files.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.values import Column
from platform_core.errors import UnsupportedValueError
from platform_core.store.layout import compression, group_rows, part_name, writer_options
from platform_core.store.streams import write_stream
from platform_core.store.tables import to_arrow

LAZY_GROUP_ROWS = 32 * 1024  # of rows whose width nobody knows
# In memory; on disk about half of it.
FILE_BYTES = 128 * 1024 * 1024


def write_table(value: Any, folder: Path) -> None:
    """Writes a table of any type as Parquet files whose names sort in the order of the rows."""
    if isinstance(value, pl.DataFrame):
        _write_frame(value, folder)
    elif isinstance(value, pl.LazyFrame):
        value.sink_parquet(folder / part_name(0), compression=compression(), row_group_size=LAZY_GROUP_ROWS)
    elif isinstance(arrow := to_arrow(value), pa.Table):
        _write_in_memory(arrow, folder)
    else:
        write_stream(arrow, folder)


def _refuse_objects(frame: pl.DataFrame) -> None:
    if objects := [name for name, kind in frame.schema.items() if kind == pl.Object]:
        raise UnsupportedValueError(f"{', '.join(objects)} holds Python objects; give the column a type of polars.")


def _write_frame(frame: pl.DataFrame, folder: Path) -> None:
    """File by file, each by all processors. Several, so that checksums and downloads can work side by side later."""
    _refuse_objects(frame)
    size = int(frame.estimated_size())
    groups = group_rows(size, frame.height)
    parts, step = _cut(size, frame.height)
    for number in range(parts):
        piece = frame.slice(number * step, step)
        piece.write_parquet(folder / part_name(number), compression=compression(), row_group_size=groups)


def _cut(size: int, rows: int) -> tuple[int, int]:
    """Into how many files a table is cut, and the rows of each."""
    parts = max(1, math.ceil(size / FILE_BYTES))
    step = max(1, math.ceil(rows / parts))
    return max(1, math.ceil(rows / step)), step


def _write_in_memory(table: pa.Table, folder: Path) -> None:
    parts, step = _cut(table.nbytes, table.num_rows)
    options = writer_options(table)
    groups = group_rows(table.nbytes, table.num_rows)

    def write(number: int) -> None:
        piece = table.slice(number * step, step)
        pq.write_table(piece, folder / part_name(number), row_group_size=groups, **options)

    if parts == 1:
        write(0)
        return
    with ThreadPoolExecutor(min(parts, os.cpu_count() or 2)) as pool:
        for done in [pool.submit(write, number) for number in range(parts)]:
            done.result()


def describe_table(paths: Sequence[Path]) -> tuple[int, tuple[Column, ...]]:
    """Rows and columns of the Parquet files of one table, from their footers alone."""
    footers = [pq.read_metadata(path) for path in paths]
    schema = footers[0].schema.to_arrow_schema()
    return sum(footer.num_rows for footer in footers), tuple(Column(field.name, str(field.type)) for field in schema)
