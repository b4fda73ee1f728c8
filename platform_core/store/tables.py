"""The types of tables, and the ways between them.

Heavy libraries are recognised by what is imported already: a value of a library's type cannot exist before.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from platform_core.errors import UnsupportedValueError, listed

# Rows in a batch where it is ours to say.
BATCH_ROWS = 64 * 1024

TABLE_TYPES = (
    "polars.LazyFrame, polars.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader,"
    " pandas.DataFrame or duckdb.DuckDBPyRelation"
)


def is_table(value: object) -> bool:
    return is_table_type(type(value))


def is_table_type(kind: object) -> bool:
    if kind in (pl.LazyFrame, pl.DataFrame, pa.Table, pa.RecordBatchReader):
        return True
    return kind is not None and kind in (
        type_of("pandas", "DataFrame"),
        type_of("duckdb", "DuckDBPyRelation"),
        unloaded(),
    )


def type_of(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def unloaded() -> Any:
    """The type of files that an engine wrote; imported by nobody who has none."""
    return type_of("platform_core.store.unloaded", "Unloaded")


def to_arrow(value: Any) -> pa.Table | pa.RecordBatchReader:
    """A table that is neither lazy nor polars' own: whole when it is in memory, otherwise as a stream."""
    if isinstance(value, pa.Table | pa.RecordBatchReader):
        _require_names(value.schema.names)
        return value
    if type(value) is type_of("pandas", "DataFrame"):
        return _from_pandas(value)
    if type(value) is unloaded():
        reader: pa.RecordBatchReader = value.read(pa.RecordBatchReader)
        return reader
    return _in_utc(value.to_arrow_reader(BATCH_ROWS))  # a DuckDB relation


def _require_names(columns: Sequence[object]) -> None:
    """Refuses a table that most readers could not read again: Arrow alone lets two columns have one name."""
    if twice := sorted(str(name) for name, times in Counter(columns).items() if times > 1):
        raise UnsupportedValueError(f"The table has more than one column called {listed(twice)}; rename them.")


def _in_utc(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same moments in UTC: DuckDB gives them in the zone of whichever machine it runs on."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit, "UTC")) if getattr(field.type, "tz", None) else field
        for field in reader.schema
    ]
    return reader.cast(pa.schema(fields))


def _from_pandas(frame: Any) -> pa.Table:
    _require_names(list(frame.columns))
    # As one of several levels, an index that only counts would be noted as its range, which no part of the frame has.
    preserve = True if frame.index.nlevels > 1 else None
    try:
        return pa.Table.from_pandas(frame, preserve_index=preserve)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UnsupportedValueError(f"A pandas column cannot be stored ({'; '.join(error.args)}).") from error


def as_polars(value: Any) -> pl.DataFrame:
    """Any table as a polars frame."""
    if isinstance(value, pl.LazyFrame):
        return value.collect()
    if isinstance(value, pl.DataFrame):
        return value
    arrow = to_arrow(value)
    return pl.DataFrame(pl.from_arrow(arrow.read_all() if isinstance(arrow, pa.RecordBatchReader) else arrow))
