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
from platform_core.settings import Compression, current_settings
from platform_core.store.tables import to_arrow

# A column of so many rows fits a processor's cache: groups of a million are written and read half as fast.
MOST_GROUP_ROWS = 128 * 1024
LAZY_GROUP_ROWS = 32 * 1024  # of rows whose width nobody knows
# In memory. What is held anyway is cut into large groups: in small ones, 300 columns take three times as long to read.
GROUP_BYTES = 64 * 1024 * 1024
# In memory; on disk about half of it.
FILE_BYTES = 128 * 1024 * 1024
# A dictionary is built and then thrown away for a column whose values hardly repeat.
SAMPLE_ROWS = 20_000
REPEATS = 4


def compression() -> Compression:
    """How the settings want pages of Parquet files compressed."""
    return current_settings().compression


def part_name(number: int) -> str:
    return f"part-{number:05}.parquet"


def write_table(value: Any, folder: Path) -> None:
    """Writes a table of any type as Parquet files whose names sort in the order of the rows."""
    if isinstance(value, pl.DataFrame):
        _write_frame(value, folder)
    elif isinstance(value, pl.LazyFrame):
        value.sink_parquet(folder / part_name(0), compression=compression(), row_group_size=LAZY_GROUP_ROWS)
    elif isinstance(arrow := to_arrow(value), pa.Table):
        _write_in_memory(arrow, folder)
    else:
        from platform_core.store.streams import write_stream

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


def group_rows(size: int, rows: int, most_bytes: int = GROUP_BYTES) -> int:
    """How many rows make a row group: a power of two, fewer the wider the rows are."""
    fitting = most_bytes * max(rows, 1) // max(size, 1)
    return int(min(MOST_GROUP_ROWS, max(1024, 2 ** (max(fitting, 1).bit_length() - 1))))


def writer_options(table: pa.Table) -> dict[str, Any]:
    """How pyarrow is to encode tables of which this is the first, or a part of the first."""
    return {"compression": compression(), "use_dictionary": _worth_a_dictionary(table)}


def _worth_a_dictionary(table: pa.Table) -> bool | list[str]:
    """The columns with values that repeat. All, where columns are nested: their leaves have names of their own."""
    sample = table.slice(0, SAMPLE_ROWS)
    if sample.num_rows < SAMPLE_ROWS or any(pa.types.is_nested(field.type) for field in table.schema):
        return True
    return [field.name for field, column in zip(sample.schema, sample.columns, strict=True) if _repeats(column)]


def _repeats(column: pa.ChunkedArray) -> bool:
    if pa.types.is_dictionary(column.type):
        return True
    if not (pa.types.is_primitive(column.type) or pa.types.is_string(column.type) or _is_text(column.type)):
        return False
    import pyarrow.compute as pc  # makes three hundred functions, which loading a location can do without

    return bool(pc.count_distinct(column).as_py() * REPEATS < len(column))


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def describe_table(paths: Sequence[Path]) -> tuple[int, tuple[Column, ...]]:
    """Rows and columns of the Parquet files of one table, from their footers alone."""
    footers = [pq.read_metadata(path) for path in paths]
    schema = footers[0].schema.to_arrow_schema()
    return sum(footer.num_rows for footer in footers), tuple(Column(field.name, str(field.type)) for field in schema)
