"""Parquet files that an engine wrote for this process and that no version owns yet."""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from platform_core.catalog.values import Column
from platform_core.store.durable import link
from platform_core.store.layout import part_name
from platform_core.store.parquet import describe_table
from platform_core.store.reading import read_table
from platform_core.store.tables import type_of

_LENT: list["Unloaded"] = []


class Unloaded:
    """A table in Parquet files. Returned by an asset, the files become its version's as they are.

    Anything else takes them as a table: `read()` as often as wanted. They are removed when nobody has them any more.

    Args:
        folder: with the files, of which at least one has the columns.
        discard: removes the folder.
    """

    def __init__(self, folder: Path, discard: Callable[[], None]) -> None:
        self._folder = folder
        self.rows, self._schema = describe_table(self.files)
        weakref.finalize(self, discard)

    @property
    def files(self) -> list[Path]:
        """In the order of the rows."""
        return sorted(self._folder.iterdir())

    @property
    def schema(self) -> tuple[Column, ...]:
        return self._schema

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files)

    def read(self, kind: Any = pa.Table) -> Any:
        """The rows as a table of any type that a parameter of an asset may have; lazy types read what is used."""
        if kind in (pl.LazyFrame, pa.RecordBatchReader) or kind is type_of("duckdb", "DuckDBPyRelation"):
            _LENT.append(self)  # they read the files later, and nobody knows when for the last time
        return read_table(self.files, kind)

    def give(self, folder: Path) -> None:
        """Puts the files into the folder of a version, without a byte of them being read where links are possible."""
        for number, path in enumerate(self.files):
            link(path, folder / part_name(number))

    def __repr__(self) -> str:
        return f"Unloaded({self.rows:,} rows, {len(self.schema)} columns, {self.bytes:,} bytes)"
