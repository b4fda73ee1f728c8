"""What a SQL engine must be able to do for the platform."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from platform_core.warehouse.query import Cost, Query, TableName


class Engine(ABC):
    """Runs single SELECT statements over versions. All of its errors are sentences that name the query's line."""

    name: ClassVar[str]

    @abstractmethod
    def tables_of(self, sql: str) -> list[TableName]:
        """The tables that a query names, each once; an error when it is not one SELECT."""

    @abstractmethod
    def table(self, query: Query) -> tuple[pa.Table, Cost]:
        """The result in memory."""

    @abstractmethod
    def unload(self, query: Query, folder: Path) -> Cost:
        """Writes the result into an empty folder as Parquet files, whose names sort in the order of its rows."""
