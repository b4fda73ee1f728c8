"""Opens the catalog's database."""

import os
import re
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError

from platform_core.catalog.attempts import patiently
from platform_core.catalog.schema import LOCK, prepare
from platform_core.errors import SettingsError

# How long a writer waits for another writer's transaction, in seconds. Transactions take milliseconds.
PATIENCE = 30
# JSON stays the text it is until `records` makes values of it, which knows what is the same in thousands of rows.
UNREAD = {"json_deserializer": str}
EXAMPLES = "sqlite:////path/catalog.db or postgresql://user@host/database"


def open_engine(url: str) -> Engine:
    """An engine on the catalog, whose tables exist afterwards."""
    engine = _create(_parse(url))
    event.listen(engine, "connect", _remember_the_process)
    event.listen(engine, "checkout", _refuse_the_parents)
    # A server that was there a moment ago is waited for; one that never was is told of at once.
    patiently(engine, lambda: prepare(engine), waits=(0.1, 0.3, 1))
    return engine


def without_password(url: str) -> str:
    """A URL as anybody may see it, also one that cannot be taken apart."""
    return re.sub(r"(?<=:)(?!//).*@", "***@", url)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            f"HEADRACE_CATALOG: '{without_password(url)}' is not a database URL; try {EXAMPLES}."
        ) from error


def _create(url: URL) -> Engine:
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url)
        case "postgresql":
            return _postgresql(url)
        case name:
            raise SettingsError(f"HEADRACE_CATALOG: {name} is not supported; use {EXAMPLES}.")


def _sqlite(url: URL) -> Engine:
    if url.database and not url.database.startswith("file:"):  # such a URI names a file that is there
        _make_folder(Path(url.database).parent)
    engine = create_engine(url, connect_args={"timeout": PATIENCE}, **UNREAD)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(f"HEADRACE_CATALOG: the folder {folder} cannot be made ({reason}).") from error


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late to keep a read and its write together
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    """Writers queue at BEGIN IMMEDIATE instead of failing half-way when two of them upgrade a read."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(url, connect_args={"connect_timeout": PATIENCE}, **UNREAD)
    except (ImportError, NoSuchModuleError) as error:
        raise SettingsError(
            "HEADRACE_CATALOG: the driver for PostgreSQL is not installed; install it with: uv sync --extra postgres"
        ) from error
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Any) -> None:
    """Writers queue at the lock that numbers transactions, so that what they read before they write stays true."""
    if _writes(connection):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'; SELECT pg_advisory_xact_lock({LOCK})")


def _writes(connection: Any) -> bool:
    return bool(connection.get_execution_options().get("headrace_writes", False))


def _remember_the_process(_connection: object, record: Any) -> None:
    record.info["process"] = os.getpid()


def _refuse_the_parents(_connection: object, record: Any, proxy: Any) -> None:
    """A process that was forked opens connections of its own: two must not speak on one."""
    if record.info["process"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError("This connection belongs to the process that forked this one.")
