"""Opens the catalog's database."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from platform_core.catalog.tables import metadata
from platform_core.errors import SettingsError

# How long a writer waits for another writer's transaction, in seconds. Transactions take milliseconds.
PATIENCE = 30


def open_engine(url: str) -> Engine:
    """An engine on the catalog, whose tables exist afterwards."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            f"HEADRACE_CATALOG: '{url}' is not a database URL; try sqlite:////path/catalog.db."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        raise SettingsError(
            f"HEADRACE_CATALOG: {parsed.get_backend_name()} is not supported yet; use sqlite:////path/catalog.db."
        )
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        metadata.create_all(connection)  # as a writer: two processes may open a new catalog at once
    return engine


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late to keep a read and its write together
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    """Writers queue at BEGIN IMMEDIATE instead of failing half-way when two of them upgrade a read."""
    writes = connection.get_execution_options().get("headrace_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
