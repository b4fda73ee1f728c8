"""Tries again what a lost connection interrupted, and says in a sentence what a database refuses."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from platform_core.catalog.tables import transactions
from platform_core.errors import CatalogError

T = TypeVar("T")

# Seconds between attempts: a server that restarts is back within them.
WAITS: Sequence[float] = (0.1, 0.2, 0.5, 1, 2, 4, 8, 8, 8)
# What drivers say of a server that is about to come back, as against one that refuses.
GONE = (
    "closed the connection",
    "connection already closed",
    "connection not open",
    "in recovery mode",
    "not yet accepting connections",
    "no such file or directory",
    "refused",
    "shutting down",
    "starting up",
    "terminating connection",
)
# No right to something, or not even to look into the schema.
REFUSED, BUSY = ("42501", "3F000"), "55P03"


def change(engine: Engine, work: Callable[[Connection, str], T]) -> T:
    """Runs `work` in one writing transaction that happens once or not at all, however often the connection breaks.

    `work` gets the token for its row in `transactions`. By it an attempt after a failed COMMIT finds out, under the
    lock of writers, whether that COMMIT had come through.
    """
    token = secrets.token_hex(8)
    results: list[T] = []

    def attempt() -> T:
        with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
            if not (results and _came_through(connection, token)):
                results.append(work(connection, token))
        return results[-1]

    return patiently(engine, attempt, uncertain=lambda: bool(results))


def _came_through(connection: Connection, token: str) -> bool:
    return connection.scalar(select(transactions.c.number).where(transactions.c.token == token)) is not None


def patiently(
    engine: Engine,
    attempt: Callable[[], T],
    *,
    uncertain: Callable[[], bool] = lambda: False,
    waits: Sequence[float] | None = None,
) -> T:
    """Repeats an attempt while the server is away; anything else that the database refuses becomes a sentence."""
    for wait in WAITS if waits is None else waits:
        try:
            return attempt()
        except DBAPIError as error:
            if not _is_away(error):
                raise _told(engine, error, uncertain()) from error
        time.sleep(wait)
    try:
        return attempt()
    except DBAPIError as error:
        raise _told(engine, error, uncertain()) from error


def _is_away(error: DBAPIError) -> bool:
    reason = str(error.orig).lower()
    return error.connection_invalidated or (
        isinstance(error, OperationalError | InterfaceError) and any(sign in reason for sign in GONE)
    )


def _told(engine: Engine, error: DBAPIError, uncertain: bool) -> Exception:
    """The error as a sentence; one that is about what was written rather than about the database stays as it is."""
    code = getattr(error.orig, "pgcode", None)
    where, reason = engine.url.render_as_string(), str(error.orig).strip().partition("\n")[0].rstrip(".")
    if code in REFUSED:
        return CatalogError(
            f"The catalog {where} does not let this role do that ({reason}); nothing was changed."
            " `headrace namespace grants NAMESPACE` prints what a role needs."
        )
    if code == BUSY or "database is locked" in reason:
        return CatalogError(
            f"Another process keeps the catalog {where} locked; nothing was changed. Try again, or look for a process"
            " that hangs in the middle of a write."
        )
    if not (isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError):
        return error
    outcome = (
        "Whether the last change came through is not known: look at what is current before you repeat it."
        if uncertain
        else "Nothing was changed."
    )
    return CatalogError(f"The catalog {where} cannot be used: {reason}. {outcome}")
