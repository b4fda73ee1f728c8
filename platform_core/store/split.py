"""Tables cut by the text of a column, which stays in the parts. The parts keep the order of their rows."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pyarrow as pa

from platform_core.errors import UnsupportedValueError
from platform_core.store.tables import as_polars, to_arrow, type_of, unloaded

# Of all parts of a stream together. Beyond it they are spilled into one file.
HELD_BYTES = 24 * 1024 * 1024
# Of a lazy frame at a time.
LAZY_ROWS = 64 * 1024

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def is_stream(value: Any) -> bool:
    """Whether a table comes piece by piece, so that it may be larger than memory."""
    if isinstance(value, pl.LazyFrame | pa.RecordBatchReader):
        return True
    return type(value) in (type_of("duckdb", "DuckDBPyRelation"), unloaded())


def split_table(value: Any, column: str) -> dict[str, pl.DataFrame] | dict[str, pa.Table]:
    """The parts of a table that is in memory, by key in the order in which the keys appear.

    What pandas and pyarrow note of their tables, such as an index, stays with the parts.
    """
    if type(value) is not type_of("pandas", "DataFrame") and not isinstance(value, pa.Table):
        return _split_frame(as_polars(value), column)
    table = to_arrow(value)
    _require(column, table.schema.names)
    return _cut(table, column) if table.num_rows else {}


def _split_frame(frame: pl.DataFrame, column: str) -> dict[str, pl.DataFrame]:
    _require(column, frame.columns)
    keyed = frame.with_columns(pl.col(column).cast(pl.String).alias("__partition"))
    parts = keyed.partition_by("__partition", as_dict=True, include_key=False, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}


def split_stream(value: Any, column: str) -> Iterator[dict[str, pa.RecordBatch]]:
    """The parts of each batch of a stream, one batch at a time."""
    for batch in _batches(value, column):
        if batch.num_rows:
            yield _cut(batch, column)


def _batches(value: Any, column: str) -> Iterator[pa.RecordBatch]:
    if isinstance(value, pl.LazyFrame):
        _require(column, value.collect_schema().names())
        for frame in value.collect_batches(chunk_size=LAZY_ROWS, lazy=True):
            yield from frame.to_arrow().to_batches()
        return
    reader = to_arrow(value)
    _require(column, reader.schema.names)
    yield from reader


def _require(column: str, columns: list[str]) -> None:
    if column not in columns:
        raise UnsupportedValueError(
            f"partition_by names the column '{column}', which the table does not have: {', '.join(columns)}."
        )


def _cut(batch: Rows, column: str) -> dict[str, Rows]:
    """The rows are gathered once for all keys; each part is a slice of the result."""
    keys = pl.Series("key", batch.column(column)).cast(pl.String)
    rows = keys.to_frame().with_row_index("row").group_by("key", maintain_order=True).agg("row", pl.len().alias("rows"))
    if rows.height == 1:
        return {str(rows["key"][0]): batch}
    ends = rows["rows"].cum_sum()
    gathered = batch.take(rows["row"].explode().to_arrow())
    pieces = zip(rows["key"], ends - rows["rows"], rows["rows"], strict=True)
    return {str(key): gathered.slice(start, size) for key, start, size in pieces}


@dataclass(slots=True)
class _Part:
    held: list[pa.RecordBatch] = field(default_factory=list)
    spilled: list[int] = field(default_factory=list)


class Spill:
    """The parts of one stream: in memory while they fit, otherwise in one file that has no name, so none is left over.

    One file, not one for each part: hundreds of keys would mean hundreds of open files, or thousands of small ones.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, _Part] = {}
        self._bytes = self._pieces = 0
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, parts: dict[str, pa.RecordBatch]) -> None:
        """Takes the parts of one batch."""
        for key, piece in parts.items():
            self._parts.setdefault(key, _Part()).held.append(piece)
            self._bytes += piece.nbytes
        if self._bytes > HELD_BYTES:
            self._spill()

    def _spill(self) -> None:
        for part in self._parts.values():
            if part.held:
                self._write(pa.Table.from_batches(part.held).combine_chunks(), part)
                part.held.clear()
        self._bytes = 0

    def _write(self, table: pa.Table, part: _Part) -> None:
        if self._writer is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 -- closed at the end of the block
            self._writer = pa.ipc.new_file(self._file, table.schema)
        for batch in table.to_batches():
            self._writer.write_batch(batch)
            part.spilled.append(self._pieces)
            self._pieces += 1

    def tables(self) -> Iterator[tuple[str, pa.RecordBatchReader]]:
        """Each key with its rows, to be taken before the next."""
        if self._writer is not None:
            self._writer.close()
        file = pa.ipc.open_file(self._file) if self._writer is not None else None
        for key, part in self._parts.items():
            schema = file.schema if file else part.held[0].schema
            yield key, pa.RecordBatchReader.from_batches(schema, _rows(file, part))


def _rows(file: Any, part: _Part) -> Iterator[pa.RecordBatch]:
    for number in part.spilled:
        yield file.get_batch(number)
    yield from part.held
