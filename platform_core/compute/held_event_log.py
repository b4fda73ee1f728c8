"""Dagster's event log on SQLite, kept open and written to in few commits while a run goes on."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from secrets import token_hex

import dagster as dg
from sqlalchemy import Connection, NullPool, create_engine, text

from platform_core.dagster_internals import INDEX_SHARD_NAME, SqliteEventLogStorage

SQLITE_PATIENCE = 300  # seconds that a writer waits for another, before a run is lost for it

Together = Callable[[], AbstractContextManager[None]]


@contextmanager
def held_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[Together]:
    """Keeps Dagster's SQLite files open for as long as a run goes on. Other databases need nothing.

    Dagster opens and closes a file for each event and compiles its statements anew, and whoever closes a file last
    brings its log back into it: most of what an event costs. There is no public way to open it once.

    Yields:
        a context in which what is written becomes durable together, at its end.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield nullcontext
        return
    with ExitStack() as stack:
        held = _Held(storage)
        for shard in (run_id, INDEX_SHARD_NAME):
            held.connections[shard] = stack.enter_context(_open(storage, shard))
        stack.callback(vars(storage).pop, "_connect")
        vars(storage)["_connect"] = held.connect
        yield held.together


class _Held:
    """The open connections of one run, in place of those that Dagster would open."""

    def __init__(self, storage: SqliteEventLogStorage) -> None:
        self.connections: dict[str, Connection] = {}
        self._lock = storage._db_lock
        self._elsewhere = storage._connect
        self._is_together = False

    @contextmanager
    def connect(self, shard: str) -> Iterator[Connection]:
        connection = self.connections.get(shard)
        if connection is None:
            with self._elsewhere(shard) as other:
                yield other
        elif self._is_together:
            yield connection
        else:
            with self._lock, connection.begin():
                yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._lock, ExitStack() as stack:
            for connection in self.connections.values():
                stack.enter_context(connection.begin())
            self._is_together = True
            stack.callback(setattr, self, "_is_together", False)
            yield


@contextmanager
def _open(storage: SqliteEventLogStorage, shard: str) -> Iterator[Connection]:
    _make_tables(storage, shard)
    patience = {"timeout": SQLITE_PATIENCE, "check_same_thread": False}  # Dagster's own lock sees to that
    engine = create_engine(storage.conn_string_for_shard(shard), poolclass=NullPool, connect_args=patience)
    with engine.connect() as connection:
        # What is committed survives this process; a machine that loses power takes the run with it anyway.
        connection.execute(text("PRAGMA synchronous=NORMAL"))
        connection.commit()
        yield connection


def _make_tables(storage: SqliteEventLogStorage, shard: str) -> None:
    """Copies the file of a new run from an empty one: making its tables takes longer than many a step."""
    path = Path(storage.path_for_shard(shard))
    empty = path.parent.parent / f"empty-log-{dg.__version__}"
    is_new = shard != INDEX_SHARD_NAME and not path.exists()
    if is_new and empty.exists():
        with _appearing(path) as scratch:
            shutil.copyfile(empty, scratch)
        storage._initialized_dbs.add(shard)
        return
    with storage._connect(shard):
        pass
    if is_new:
        with (
            _appearing(empty) as scratch,
            closing(sqlite3.connect(path)) as own,
            closing(sqlite3.connect(scratch)) as to,
        ):
            own.backup(to)


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """A file that is there when it is whole, whoever else makes the same."""
    scratch = path.with_name(f".{path.name}.{token_hex(4)}")
    yield scratch
    scratch.replace(path)
