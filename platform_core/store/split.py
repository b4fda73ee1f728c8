"""Tables cut by the text of a column, which stays in the parts. The parts keep the order of their rows."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.errors import UnsupportedValueError
from platform_core.store.parquet import GROUP_BYTES, part_name, writer_options
from platform_core.store.tables import as_polars, to_arrow, type_of

# Of all parts of a stream together; beyond it the largest ones are written out.
BUFFERED_BYTES = 64 * 1024 * 1024
# A part whose file was closed for others goes on in a further file.
OPEN_FILES = 32
# Of a lazy frame at a time. Two or three of them are in flight.
LAZY_ROWS = 64 * 1024


def is_stream(value: Any) -> bool:
    """Whether a table comes piece by piece, so that it may be larger than memory."""
    return isinstance(value, pl.LazyFrame | pa.RecordBatchReader) or type(value) is type_of(
        "duckdb", "DuckDBPyRelation"
    )


def split_table(value: Any, column: str) -> dict[str, pl.DataFrame]:
    """The parts of a table that is in memory, by key in the order in which the keys appear."""
    frame = as_polars(value)
    _require(column, frame.columns)
    keyed = frame.with_columns(pl.col(column).cast(pl.String).alias("__partition"))
    parts = keyed.partition_by("__partition", as_dict=True, include_key=False, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}


def split_stream(value: Any, column: str) -> Iterator[dict[str, pa.RecordBatch]]:
    """The parts of each batch of a stream, one batch at a time."""
    for batch in _batches(value, column):
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


def _cut(batch: pa.RecordBatch, column: str) -> dict[str, pa.RecordBatch]:
    keys = pl.Series("key", batch.column(column)).cast(pl.String)
    rows = keys.to_frame().with_row_index("row").group_by("key", maintain_order=True).agg("row")
    if rows.height == 1:
        return {str(rows["key"][0]): batch}
    return {str(key): batch.take(pa.array(row.to_arrow())) for key, row in zip(rows["key"], rows["row"], strict=True)}


@dataclass(slots=True)
class _Part:
    folder: Path
    files: int = 0
    held: list[pa.RecordBatch] = field(default_factory=list)
    bytes: int = 0


class PartWriters:
    """Parts of one stream on their way into a folder each, with a bound on what is held and on what is open."""

    def __init__(self) -> None:
        self._parts: dict[str, _Part] = {}
        self._held = 0
        self._open: OrderedDict[str, pq.ParquetWriter] = OrderedDict()

    def add(self, key: str, folder: Path) -> None:
        self._parts[key] = _Part(folder)

    def write(self, key: str, batch: pa.RecordBatch) -> None:
        part = self._parts[key]
        part.held.append(batch)
        part.bytes += batch.nbytes
        self._held += batch.nbytes
        if part.bytes >= GROUP_BYTES:
            self._flush(key)
        elif self._held > BUFFERED_BYTES:
            self._flush(max(self._parts, key=lambda key: self._parts[key].bytes))

    def _flush(self, key: str) -> None:
        part = self._parts[key]
        table = pa.Table.from_batches(part.held)
        self._writer(key, table).write_table(table, row_group_size=max(1, table.num_rows))
        self._held -= part.bytes
        part.held, part.bytes = [], 0

    def _writer(self, key: str, table: pa.Table) -> pq.ParquetWriter:
        if key not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            part = self._parts[key]
            path = part.folder / part_name(part.files)
            self._open[key] = pq.ParquetWriter(path, table.schema, **writer_options(table))
            part.files += 1
        self._open.move_to_end(key)
        return self._open[key]

    def close(self) -> None:
        """Writes what is still held and completes all files."""
        for key, part in self._parts.items():
            if part.held:
                self._flush(key)
            if writer := self._open.pop(key, None):
                writer.close()

    def abandon(self) -> None:
        """Lets go of all files, whatever is in them."""
        for writer in self._open.values():
            writer.close()
