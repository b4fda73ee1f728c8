"""The catalog: commits versions and resolves what a namespace shows."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, insert, or_, select

from platform_core.catalog.engine import open_engine
from platform_core.catalog.records import in_utc, row_to_version, version_to_row
from platform_core.catalog.tables import namespaces, refs, transactions, versions
from platform_core.catalog.values import UNPARTITIONED, Shown, Transaction, Version
from platform_core.errors import NotFoundError, listed
from platform_core.namespaces import PRODUCTION, Namespace

Condition = ColumnElement[bool]


@lru_cache(maxsize=8)
def open_catalog(url: str) -> "Catalog":
    """The catalog behind a database URL; one per process and URL."""
    return Catalog(open_engine(url))


class Catalog:
    """Versions, refs, transactions and namespaces in SQL. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
            yield connection

    def commit(
        self, namespace: Namespace, drafts: Sequence[Version], *, kind: str = "write", message: str = ""
    ) -> list[Version]:
        """Makes versions current in a namespace: all of them in one transaction, or none.

        The files of the drafts must be complete in the store before. Returns the versions with their transaction.
        """
        if not drafts:
            return []
        with self._writing() as connection:
            _ensure(connection, namespace)
            number = _next_transaction(connection, namespace, kind, message)
            connection.execute(insert(versions), [version_to_row(draft, number) for draft in drafts])
            connection.execute(insert(refs), [_ref(namespace, draft, number) for draft in drafts])
        return [replace(draft, transaction=number) for draft in drafts]

    def resolve(self, namespace: Namespace, asset: str, partitions: Sequence[str] | None = None) -> dict[str, Shown]:
        """What a namespace shows of an asset, by partition: its own versions, else its parent's as of the pin.

        `partitions` limits the answer; partitions that have no version are simply absent.
        """
        found = {shown.version.partition: shown for shown in self._shown(namespace, refs.c.asset == asset)}
        if partitions is None:
            return found
        return {partition: found[partition] for partition in partitions if partition in found}

    def require(self, namespace: Namespace, asset: str, partitions: Sequence[str]) -> list[Shown]:
        """What a namespace shows of these partitions of an asset; an error that says what to run if one is missing."""
        found = self.resolve(namespace, asset, partitions)
        if missing := [partition for partition in partitions if partition not in found]:
            raise NotFoundError(_nothing_to_read(namespace, asset, missing))
        return list(found.values())

    def current(self, namespace: Namespace) -> list[Shown]:
        """Everything that a namespace shows, by asset and partition."""
        return self._shown(namespace)

    def _shown(self, namespace: Namespace, *where: Condition) -> list[Shown]:
        with self._engine.connect() as connection:
            query = _visible(connection, namespace, *where).order_by(versions.c.asset, versions.c.partition)
            rows = connection.execute(query).mappings().all()
        return [Shown(row_to_version(row), row["shown_by"]) for row in rows]

    def history(
        self, namespace: Namespace, asset: str, partition: str | None = None, limit: int | None = None
    ) -> list[Shown]:
        """The versions that a namespace and its parent ever showed of an asset or a partition of it, newest first."""
        names = [str(n) for n in (namespace, namespace.parent) if n]
        query = (
            select(versions, refs.c.namespace.label("shown_by"))
            .join(refs, refs.c.version == versions.c.id)
            .where(refs.c.asset == asset, refs.c.namespace.in_(names))
            .order_by(refs.c.transaction.desc(), versions.c.partition.desc())
            .limit(limit)
        )
        if partition is not None:
            query = query.where(refs.c.partition == partition)
        with self._engine.connect() as connection:
            return [Shown(row_to_version(row), row["shown_by"]) for row in connection.execute(query).mappings()]

    def version(self, text: str, asset: str | None = None) -> Version:
        """The version with this id, or with an id of which this is the beginning or the last part."""
        named = or_(
            versions.c.id.startswith(text, autoescape=True), versions.c.id.contains(f"-{text}", autoescape=True)
        )
        query = select(versions).where(named).limit(2)
        if asset is not None:
            query = query.where(versions.c.asset == asset)
        with self._engine.connect() as connection:
            found = connection.execute(query).mappings().all()
        if len(found) == 1:
            return row_to_version(found[0])
        of = f" of {asset}" if asset else ""
        if found:
            raise NotFoundError(f"'{text}' is the beginning of several versions{of}; give more of the id.")
        raise NotFoundError(f"There is no version '{text}'{of}; `headrace versions ASSET` lists those there are.")

    def written(self, numbers: Sequence[int]) -> list[Version]:
        """The versions that transactions wrote, by partition."""
        query = select(versions).where(versions.c.transaction.in_(numbers)).order_by(versions.c.partition)
        with self._engine.connect() as connection:
            return [row_to_version(row) for row in connection.execute(query).mappings()]

    def assets(self) -> list[str]:
        """The names of all assets that ever had a version, in any namespace."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(versions.c.asset).distinct().order_by(versions.c.asset)))

    def transactions(self, namespace: Namespace) -> list[Transaction]:
        """The transactions of a namespace, oldest first."""
        query = select(transactions).where(transactions.c.namespace == str(namespace)).order_by(transactions.c.number)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Transaction(**dict(row) | {"committed_at": in_utc(row["committed_at"])}) for row in rows]


def _nothing_to_read(namespace: Namespace, asset: str, missing: Sequence[str]) -> str:
    if list(missing) == [UNPARTITIONED]:
        return f"{asset} has no version in {namespace} yet; run it first: headrace run {asset}"
    keys = missing[0] if len(missing) == 1 else f"{missing[0]}..{missing[-1]}"
    return (
        f"{asset} has no version of {listed(missing)} in {namespace} yet; run it first:"
        f" headrace run {asset} --partition {keys}"
    )


def _visible(connection: Connection, namespace: Namespace, *where: Condition) -> Select[Any]:
    """One query for what a namespace shows: of each asset and partition the newest ref, its own before the parent's."""
    own = refs.c.namespace == str(namespace)
    visible = own if namespace.parent is None else or_(own, _parents_refs(connection, namespace))
    newest = func.row_number().over(
        partition_by=(refs.c.asset, refs.c.partition), order_by=(own.desc(), refs.c.transaction.desc())
    )
    ranked = select(refs, newest.label("rank")).where(visible, *where).subquery()
    return select(versions, ranked.c.namespace.label("shown_by")).join(
        ranked, and_(ranked.c.version == versions.c.id, ranked.c.rank == 1)
    )


def _parents_refs(connection: Connection, namespace: Namespace) -> Condition:
    parents = refs.c.namespace == str(namespace.parent)
    pin = connection.scalar(select(namespaces.c.pin).where(namespaces.c.name == str(namespace)))
    return parents if pin is None else and_(parents, refs.c.transaction <= pin)


def _ensure(connection: Connection, namespace: Namespace) -> None:
    """Creates a namespace on its first write, after its parent."""
    known = set(connection.scalars(select(namespaces.c.name)))
    for wanted in (PRODUCTION, namespace):
        if str(wanted) not in known:
            parent = str(wanted.parent) if wanted.parent else None
            row = {"name": str(wanted), "parent": parent, "owner": getpass.getuser(), "created_at": datetime.now(UTC)}
            connection.execute(insert(namespaces).values(row))
            known.add(str(wanted))


def _next_transaction(connection: Connection, namespace: Namespace, kind: str, message: str) -> int:
    row = {
        "namespace": str(namespace),
        "kind": kind,
        "author": getpass.getuser(),
        "message": message,
        "committed_at": datetime.now(UTC),
    }
    return int(connection.execute(insert(transactions).values(row)).inserted_primary_key[0])  # type: ignore[index]


def _ref(namespace: Namespace, version: Version, number: int) -> dict[str, object]:
    return {
        "namespace": str(namespace),
        "asset": version.asset,
        "partition": version.partition,
        "transaction": number,
        "version": version.id,
    }
