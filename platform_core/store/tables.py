"""Tables: any table type to Parquet, and Parquet to the type that is asked for.

Heavy libraries are recognised by what is imported already: a value of a library's type cannot exist before.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.values import Column
from platform_core.errors import UnsupportedValueError

# zstd at level 1 writes and reads as fast as snappy here, at two thirds of the size.
COMPRESSION: Literal["zstd"] = "zstd"
COMPRESSION_LEVEL = 1
ROW_GROUP = 512 * 1024

TABLE_TYPES = (
    "polars.LazyFrame, polars.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader,"
    " pandas.DataFrame or duckdb.DuckDBPyRelation"
)


def is_table(value: object) -> bool:
    return is_table_type(type(value))


def is_table_type(kind: object) -> bool:
    if kind in (pl.LazyFrame, pl.DataFrame, pa.Table, pa.RecordBatchReader):
        return True
    return kind is not None and kind in (_type_of("pandas", "DataFrame"), _type_of("duckdb", "DuckDBPyRelation"))


def _type_of(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def write_table(value: Any, path: Path) -> None:
    """Writes a table value as one Parquet file. Lazy values and streams are written without being held."""
    if isinstance(value, pl.DataFrame):
        if objects := [name for name, kind in value.schema.items() if kind == pl.Object]:
            raise UnsupportedValueError(f"{', '.join(objects)} holds Python objects; give the column a type of polars.")
        value.write_parquet(
            path, compression=COMPRESSION, compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP
        )
    elif isinstance(value, pl.LazyFrame):
        value.sink_parquet(path, compression=COMPRESSION, compression_level=COMPRESSION_LEVEL, row_group_size=ROW_GROUP)
    else:
        _write_batches(_reader(value), path)


def _reader(value: Any) -> pa.RecordBatchReader:
    if isinstance(value, pa.RecordBatchReader):
        return value
    if isinstance(value, pa.Table):
        return value.to_reader(max_chunksize=ROW_GROUP)
    if type(value) is _type_of("pandas", "DataFrame"):
        return _from_pandas(value).to_reader(max_chunksize=ROW_GROUP)
    return _in_utc(value.to_arrow_reader(ROW_GROUP))  # a DuckDB relation


def _in_utc(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same moments in UTC: DuckDB gives them in the zone of whichever machine it runs on."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit, "UTC")) if getattr(field.type, "tz", None) else field
        for field in reader.schema
    ]
    return reader.cast(pa.schema(fields))


def _from_pandas(frame: Any) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UnsupportedValueError(f"A pandas column cannot be stored ({'; '.join(error.args)}).") from error


def _write_batches(reader: pa.RecordBatchReader, path: Path) -> None:
    with pq.ParquetWriter(path, reader.schema, compression=COMPRESSION, compression_level=COMPRESSION_LEVEL) as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=ROW_GROUP)


def describe_table(path: Path) -> tuple[int, tuple[Column, ...]]:
    """Rows and columns of a Parquet file, from its footer alone."""
    footer = pq.read_metadata(path)
    schema = footer.schema.to_arrow_schema()
    return footer.num_rows, tuple(Column(field.name, str(field.type)) for field in schema)


def read_table(paths: Sequence[Path], kind: Any) -> Any:
    """Parquet files as one table of the type asked for. Lazy types read only the columns and rows that are used."""
    files = [str(path) for path in paths]
    if kind is pl.LazyFrame:
        return pl.scan_parquet(files, glob=False)
    if kind is pl.DataFrame:
        return pl.read_parquet(files, glob=False)
    if kind is pa.Table:
        return _dataset(files).to_table()
    if kind is pa.RecordBatchReader:
        return _dataset(files).scanner().to_reader()
    if kind is _type_of("pandas", "DataFrame"):
        return _dataset(files).to_table().to_pandas()
    if kind is _type_of("duckdb", "DuckDBPyRelation"):
        connection = sys.modules["duckdb"].connect()
        connection.execute("set TimeZone = 'UTC'")  # otherwise a day begins when it does on this machine
        return connection.read_parquet(files)
    raise UnsupportedValueError(f"A table cannot be read as {kind}; annotate the parameter with {TABLE_TYPES}.")


def _dataset(files: list[str]) -> Any:
    import pyarrow.dataset

    return pyarrow.dataset.dataset(files, format="parquet")


def split_table(value: Any, column: str) -> dict[str, Any]:
    """Cuts a table by the text of a column, which stays in the parts. The parts keep the order of their rows."""
    frame = as_polars(value)
    if column not in frame.columns:
        raise UnsupportedValueError(
            f"partition_by names the column '{column}', which the table does not have: {', '.join(frame.columns)}."
        )
    keyed = frame.with_columns(pl.col(column).cast(pl.String).alias("__partition"))
    parts = keyed.partition_by("__partition", as_dict=True, include_key=False, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}


def as_polars(value: Any) -> pl.DataFrame:
    """Any table as a polars frame."""
    if isinstance(value, pl.LazyFrame):
        return value.collect()
    return value if isinstance(value, pl.DataFrame) else pl.DataFrame(pl.from_arrow(_reader(value).read_all()))
