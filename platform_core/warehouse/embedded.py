"""DuckDB in this process, over the files of versions: the warehouse that needs no service."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pyarrow as pa

from platform_core.errors import WarehouseError
from platform_core.settings import current_settings
from platform_core.store.layout import MOST_GROUP_ROWS, compression, part_name
from platform_core.store.opening import open_store
from platform_core.store.reading import dataset_of
from platform_core.store.store import Store
from platform_core.warehouse.engine import Engine
from platform_core.warehouse.parsing import tables_of
from platform_core.warehouse.profile import bytes_scanned
from platform_core.warehouse.query import BoundTable, Cost, Query, TableName

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

INTERRUPT_EVERY = 0.05  # seconds
# Types that no other engine has, as those that others have. What does not fit is an error of the query.
AS_OTHERS = {"HUGEINT": "BIGINT", "UHUGEINT": "UBIGINT", "UUID": "VARCHAR", "ENUM": "VARCHAR"}
# In Parquet files these would no longer be what they were.
UNSTORABLE = re.compile(r"\b(INTERVAL|BIT|TIME WITH TIME ZONE|UNION|U?HUGEINT|VARIANT|GEOMETRY)\b")
CODECS = {"lz4": "lz4_raw"}  # where DuckDB has another name


class DuckDBEngine(Engine):
    """Every query has a connection of its own, in which only the tables exist that it names, and no other file."""

    name: ClassVar[str] = "DuckDB"

    def tables_of(self, sql: str) -> list[TableName]:
        with _connection() as connection:
            return tables_of(connection, sql)

    def table(self, query: Query) -> tuple[pa.Table, Cost]:
        return _timed(query, lambda bound: bound.table())

    def unload(self, query: Query, folder: Path) -> Cost:
        _, cost = _timed(query, lambda bound: bound.copy(folder), folder)
        return cost


def _timed(query: Query, work: Callable[[_Bound], T], folder: Path | None = None) -> tuple[T, Cost]:
    """Does something with the tables of a query, in a connection that can reach nothing but them and a folder."""
    began = time.perf_counter()
    with _connection() as connection:
        bound = _Bound(connection, query)

        def prepared() -> T:
            bound.show(open_store(current_settings().store))
            bound.shut(folder)
            return work(bound)

        done = _watched(connection, query, prepared)
        return done, Cost(time.perf_counter() - began, bound.bytes_scanned())


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    spill = current_settings().home / "cache" / "duckdb"  # for what does not fit into memory
    given: dict[str, Any] = {"python_enable_replacements": "false", "temp_directory": str(spill)}
    with duckdb.connect(config=given) as connection:
        connection.execute("set TimeZone = 'UTC'")  # otherwise a day begins when it does on this machine
        connection.execute("set enable_progress_bar = false")  # which would fill the log of a step
        yield connection


class _Bound:
    """A connection with the tables of one query."""

    def __init__(self, connection: Any, query: Query) -> None:
        self.connection, self._query = connection, query
        self._files: list[Path] = []
        self._datasets: list[Any] = []

    def show(self, store: Store) -> None:
        for table in self._query.tables:
            self._view(table.name, self._source(store, table))

    def _source(self, store: Store, table: BoundTable) -> str:
        """The files of an asset, of which only the columns and rows that the query needs are read."""
        if remotes := [remote for remote in map(store.remote, table.versions) if remote]:
            # DuckDB's wheel cannot speak to object stores: it takes what it needs from pyarrow.
            uris = [uri.removeprefix("s3://") for remote in remotes for uri in remote.uris]
            self._datasets.append(dataset_of(uris, remotes[0].filesystem()))
            name = f"headrace_{len(self._datasets)}"
            self.connection.register(name, self._datasets[-1])
            return name
        files = [path for version in table.versions for path in store.verified_paths(version)]
        self._files += files
        alike = len({version.schema for version in table.versions}) == 1
        return f"read_parquet([{', '.join(map(_text, files))}], union_by_name = {not alike})"

    def _view(self, name: TableName, source: str) -> None:
        if len(name.parts) > 1:
            self.connection.execute(f"create schema if not exists {_name(name.parts[0])}")
        whole = ".".join(map(_name, name.parts))
        self.connection.execute(f"create or replace view {whole} as select * from {source}")

    def shut(self, folder: Path | None) -> None:
        """From now on other files are out of reach: what a query reads is what is noted of it."""
        folders = [] if folder is None else [folder]
        for statement in (
            "pragma enable_profiling = 'no_output'",
            f"set allowed_paths = [{', '.join(map(_text, self._files))}]",
            f"set allowed_directories = [{', '.join(map(_text, folders))}]",
            "set enable_external_access = false",
            "set lock_configuration = true",
        ):
            self.connection.execute(statement)

    def table(self) -> pa.Table:
        return self.connection.sql(self._common_sql(), params=self._query.parameters or None).to_arrow_table()

    def copy(self, folder: Path) -> None:
        codec = CODECS.get(compression(), compression())
        options = f"format parquet, compression {codec}, row_group_size {MOST_GROUP_ROWS}"
        statement = f"copy ({self._common_sql()}\n) to {_text(folder / part_name(0))} ({options})"
        self.connection.execute(statement, self._query.parameters or None).fetchall()

    def _common_sql(self) -> str:
        """The query with columns of types that Parquet and all engines have. Its lines stay where they are."""
        sql = self._query.sql.rstrip().removesuffix(";")
        columns = self.connection.execute(f"describe {sql}", self._query.parameters or None).fetchall()
        chosen = [_as_others(name, kind) for name, kind, *_ in columns]
        _require_once([name for name, *_ in columns])
        if chosen == [_name(name) for name, *_ in columns]:
            return sql
        return f"select {', '.join(chosen)} from ({sql}\n)"

    def bytes_scanned(self) -> int:
        return bytes_scanned(self.connection, self._datasets)


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _as_others(name: str, kind: str) -> str:
    if other := AS_OTHERS.get(kind.partition("(")[0]):
        return f"cast({_name(name)} as {other}) as {_name(name)}"
    if found := UNSTORABLE.search(kind):
        raise WarehouseError(f"the store cannot hold column {name} of type {found[0]}; cast it to another type.")
    return _name(name)


def _require_once(columns: list[str]) -> None:
    """Refuses two columns that other engines would take for one: case counts for none of them."""
    folded = [column.casefold() for column in columns]
    if twice := next((column for column in columns if folded.count(column.casefold()) > 1), None):
        raise WarehouseError(f"the query gives more than one column {twice}; name them with AS.")


def _watched(connection: duckdb.DuckDBPyConnection, query: Query, work: Callable[[], T]) -> T:
    """Does the work in a thread, so that this one hears of signals: while DuckDB computes it looks at none.

    Ends a query that takes too long, and says in a sentence what DuckDB says in many lines.
    """
    import duckdb

    with ThreadPoolExecutor(1, "headrace-query") as pool:
        future = pool.submit(work)
        try:
            return future.result(query.timeout)
        except TimeoutError as error:
            raise query.too_late() from error
        except duckdb.Error as error:
            raise query.refused(sentence(str(error))) from error
        except WarehouseError as error:
            raise query.refused(str(error)) from error
        finally:
            while not future.done():  # again and again: between two statements nobody hears it
                connection.interrupt()
                wait([future], timeout=INTERRUPT_EVERY)


def sentence(text: str) -> str:
    """What DuckDB says of an error: its first line, the line of the query, and what may have been meant."""
    head, *rest = text.splitlines()
    said = head.partition(" Error: ")[2] or head
    where = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    hints = [line.strip() for line in rest if line.startswith(("Candidate", "Did you mean"))]
    return " ".join([f"line {where[1]} of the query: {said}" if where else said, *hints])
