"""Where files and row groups of tables end, and how their columns are encoded: by the rows alone, on any machine."""

from typing import Any

import pyarrow as pa

from platform_core.settings import Compression, current_settings

# A column of so many rows fits a processor's cache: groups of a million are written and read half as fast.
MOST_GROUP_ROWS = 128 * 1024
# In memory. What is held anyway is cut into large groups: in small ones, 300 columns take three times as long to read.
GROUP_BYTES = 64 * 1024 * 1024
# A dictionary is built and then thrown away for a column whose values hardly repeat.
SAMPLE_ROWS = 20_000
REPEATS = 4


def compression() -> Compression:
    """How the settings want pages of Parquet files compressed."""
    return current_settings().compression


def part_name(number: int) -> str:
    return f"part-{number:05}.parquet"


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
