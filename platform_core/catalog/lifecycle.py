"""Namespaces: opened with a pin, moved along, closed. None of it copies anything, whatever the parent holds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, insert, select, update

from platform_core.catalog.attempts import change
from platform_core.catalog.records import row_to_namespace
from platform_core.catalog.tables import namespaces, pins, transactions
from platform_core.catalog.values import NamespaceRecord
from platform_core.catalog.writing import (
    Within,
    Writing,
    ensure_namespace,
    known_namespace,
    new_namespace,
    next_transaction,
)
from platform_core.errors import NamespaceError
from platform_core.namespaces import Namespace
from platform_core.settings import login

LIFE = ("open", "sync", "close")  # kinds of transactions that write nothing


class Lifecycle(Writing):
    """Opening, synchronising and closing namespaces, and which there are."""

    def open_namespace(
        self, namespace: Namespace, owner: str = "", *, pinned: bool = True, within: Within | None = None
    ) -> NamespaceRecord:
        """Makes an empty namespace that shows its parent as it is now, or, when not pinned, as it moves.

        Of a name that was closed nothing old comes back. A namespace that is open already is refused.

        Args:
            within: what else belongs to the transaction; when it raises, nothing is opened.
        """
        if namespace.parent is None:
            raise NamespaceError(f"{namespace} has no parent to be opened from; it is always there.")

        def work(connection: Connection, token: str) -> NamespaceRecord:
            opened = _enter(connection, namespace, owner or login())
            number = next_transaction(connection, namespace, "open", "", token)
            pin = number if pinned else None
            _frame(connection, namespace, number, pin, since=number)
            if within is not None:
                within(connection, number)
            return replace(opened, pin=pin, since=number)

        return change(self._engine, work)

    def sync_namespace(self, namespace: Namespace) -> NamespaceRecord:
        """Moves the pin of a namespace to what its parent shows now; what it wrote itself stays."""
        if namespace.parent is None:
            raise NamespaceError(f"{namespace} has no parent whose state it could be pinned to.")

        def work(connection: Connection, token: str) -> NamespaceRecord:
            since = _record(connection, namespace).since
            ensure_namespace(connection, namespace)
            number = next_transaction(connection, namespace, "sync", "", token)
            _frame(connection, namespace, number, number, since)
            return _record(connection, namespace)

        return change(self._engine, work)

    def close_namespace(self, namespace: Namespace) -> NamespaceRecord:
        """Ends a namespace: it shows nothing of its own any more and refuses writes. Its history stays."""
        if namespace.is_production:
            raise NamespaceError("production cannot be closed.")

        def work(connection: Connection, token: str) -> NamespaceRecord:
            before = _record(connection, namespace)
            if before.closed_at is not None:
                raise NamespaceError(f"{namespace} was closed already, on {before.closed_at:%Y-%m-%d %H:%M} UTC.")
            number = next_transaction(connection, namespace, "close", "", token)
            _frame(connection, namespace, number, None, since=number)
            now = datetime.now(UTC)
            connection.execute(update(namespaces).where(_named(namespace)).values(closed_at=now))
            return replace(_record(connection, namespace), closed_at=now)

        return change(self._engine, work)

    def namespace(self, namespace: Namespace) -> NamespaceRecord:
        """What is known of a namespace that was opened or written to."""
        return _only(self._rows(_records().where(_named(namespace))), namespace)

    def namespaces(self, *, closed: bool = False) -> list[NamespaceRecord]:
        """All namespaces by name; those that were closed only when asked for."""
        query = _records().order_by(namespaces.c.name)
        if not closed:
            query = query.where(namespaces.c.closed_at.is_(None))
        return [row_to_namespace(row) for row in self._rows(query)]


def _enter(connection: Connection, namespace: Namespace, owner: str) -> NamespaceRecord:
    """Begins a namespace, or begins one again that was closed; all that is known of it but how it reads."""
    found = known_namespace(connection, namespace)
    if found is None:
        row = new_namespace(connection, namespace, owner)
        return NamespaceRecord(row["name"], row["parent"], None, owner, row["created_at"])
    if found.closed_at is None:
        raise NamespaceError(
            f"{namespace} is open already: it belongs to {found.owner} since {found.created_at:%Y-%m-%d %H:%M} UTC."
            " Close it first, move its pin instead, or take another name."
        )
    again = {"owner": owner, "created_at": datetime.now(UTC), "closed_at": None}
    connection.execute(update(namespaces).where(_named(namespace)).values(again))
    return _record(connection, namespace)


def _frame(connection: Connection, namespace: Namespace, number: int, pin: int | None, since: int) -> None:
    row = {"namespace": str(namespace), "transaction": number, "pin": pin, "since": since}
    connection.execute(insert(pins), row)


def _named(namespace: Namespace) -> ColumnElement[bool]:
    return namespaces.c.name == str(namespace)


def _record(connection: Connection, namespace: Namespace) -> NamespaceRecord:
    return _only(connection.execute(_records().where(_named(namespace))).mappings().all(), namespace)


def _only(rows: Sequence[RowMapping], namespace: Namespace) -> NamespaceRecord:
    if not rows:
        raise NamespaceError(f"There is no namespace {namespace}; `headrace namespace list` shows those there are.")
    return row_to_namespace(rows[0])


@lru_cache
def _records() -> Select[tuple[object, ...]]:
    """Each namespace with how it reads at present and when it was last written to."""
    frame = func.max(pins.c.transaction)
    latest = select(frame).where(pins.c.namespace == namespaces.c.name).correlate(namespaces).scalar_subquery()
    writes = and_(transactions.c.namespace == namespaces.c.name, transactions.c.kind.not_in(LIFE))
    last = select(transactions.c.number).where(writes).order_by(transactions.c.number.desc()).limit(1)
    here = and_(pins.c.namespace == namespaces.c.name, pins.c.transaction == latest)
    written = transactions.c.number == last.correlate(namespaces).scalar_subquery()
    query = select(namespaces, pins.c.pin, func.coalesce(pins.c.since, 0).label("since"), transactions.c.committed_at)
    return query.join(pins, here, isouter=True).join(transactions, written, isouter=True)
