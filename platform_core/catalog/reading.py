"""What the catalog answers: each question is one query."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Executable, RowMapping, Select, and_, bindparam, case, exists, func, select

from platform_core.catalog.attempts import patiently
from platform_core.catalog.reachability import unreachable_versions
from platform_core.catalog.records import in_utc, row_to_total, row_to_transaction, rows_to_versions
from platform_core.catalog.tables import pins, refs, transactions, versions
from platform_core.catalog.values import UNPARTITIONED, AsOf, Ref, Shown, Total, Transaction, Version
from platform_core.catalog.visibility import Place, Scope, batches
from platform_core.errors import NotFoundError, listed
from platform_core.namespaces import Namespace

PAGE = 1_000
LAST = chr(0x10FFFF)  # sorts behind every character of an id

Home = tuple[str, str, str]  # the namespace, the asset and the partition of a version

_id = versions.c.id


class Reading:
    """The questions. Each is answered as of one moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, query: Executable, parameters: Mapping[str, object] | None = None) -> Sequence[RowMapping]:
        def attempt() -> Sequence[RowMapping]:
            with self._engine.connect() as connection:
                return connection.execute(query, parameters).mappings().all()

        return patiently(self._engine, attempt)

    def resolve(
        self, namespace: Namespace, asset: str, partitions: Sequence[str] | None = None, as_of: AsOf | None = None
    ) -> dict[str, Shown]:
        """What a namespace shows of an asset, by partition: its own versions, else its parent's as of the pin.

        Args:
            partitions: limits the answer; partitions that have no version are simply absent.
            as_of: what a run takes notice of; by default everything until now.
        """
        places = None if partitions is None else [(asset, partition) for partition in partitions]
        moment, run = (as_of.transaction, as_of.run) if as_of else (None, "")
        shown = self._shown(Scope(namespace, moment, asset=asset, places=places, run=run))
        found = {item.version.partition: item for item in shown}
        if partitions is None:
            return found
        return {partition: found[partition] for partition in partitions if partition in found}

    def require(
        self, namespace: Namespace, asset: str, partitions: Sequence[str], as_of: AsOf | None = None
    ) -> list[Shown]:
        """What a namespace shows of these partitions of an asset; an error that says what to run if one is missing."""
        found = self.resolve(namespace, asset, partitions, as_of)
        if missing := [partition for partition in partitions if partition not in found]:
            raise NotFoundError(_nothing_to_read(namespace, asset, missing))
        return list(found.values())

    def current(self, namespace: Namespace) -> list[Shown]:
        """Everything that a namespace shows, by asset and partition."""
        return self._shown(Scope(namespace))

    def totals(self, namespace: Namespace) -> list[Total]:
        """How much a namespace shows of each asset, counted by the database; by asset and by who shows it."""
        scope = Scope(namespace)
        return [row_to_total(row) for row in self._rows(scope.totals, scope.parameters)]

    def shown_at(self, namespace: Namespace, moment: int | datetime) -> list[Shown]:
        """Everything that a namespace showed when a transaction was the newest, or at a time, by asset and partition.

        A time without a zone is UTC. Versions whose files `gc` has given up since are included: `forgotten_at` tells.
        """
        return self._shown(Scope(namespace, self._number_at(moment)))

    def _number_at(self, moment: int | datetime) -> int:
        if isinstance(moment, int):
            return moment
        query = select(func.max(transactions.c.number).label("number"))
        (row,) = self._rows(query.where(transactions.c.committed_at <= in_utc(moment)))
        return row["number"] or 0

    def _shown(self, scope: Scope) -> list[Shown]:
        return _shown(self._rows(scope.versions, scope.parameters))

    def history(
        self, namespace: Namespace, asset: str, partition: str | None = None, limit: int | None = None
    ) -> list[Shown]:
        """The versions that a namespace and its parent ever showed of an asset or a partition of it.

        Each is listed once for each of the two that showed it, the one that became current last first.
        """
        names = [str(n) for n in (namespace, namespace.parent) if n]
        last = select(refs.c.namespace, refs.c.version, func.max(refs.c.transaction).label("last"))
        last = last.where(refs.c.asset == asset, refs.c.namespace.in_(names))
        if partition is not None:
            last = last.where(refs.c.partition == partition)
        ever = last.group_by(refs.c.namespace, refs.c.version).subquery()
        query = select(versions, ever.c.namespace.label("shown_by")).join(ever, ever.c.version == versions.c.id)
        query = query.order_by(ever.c.last.desc(), versions.c.partition.desc()).limit(limit)
        return _shown(self._rows(query))

    def shown_since(self, namespace: Namespace, asset: str, number: int) -> list[Version]:
        """The versions of an asset that a namespace was made to show by transactions after a number, in their order."""
        given = {"namespace": str(namespace), "asset": asset, "number": number}
        return rows_to_versions(self._rows(_shown_since(), given))

    def version(self, text: str, asset: str | None = None) -> Version:
        """The version with this id, or with an id of which this is the beginning or the last part."""
        among = select(versions) if asset is None else select(versions).where(versions.c.asset == asset)
        # Only for the last part of an id are the ids of an asset looked through; an index serves the others.
        ways = (_id == text, and_(_id >= text, _id < text + LAST), _id.contains(f"-{text}", autoescape=True))
        found = next((rows for way in ways if (rows := self._rows(among.where(way).limit(2)))), [])
        if len(found) == 1:
            return rows_to_versions(found)[0]
        of = f" of {asset}" if asset else ""
        if found:
            raise NotFoundError(f"'{text}' is the beginning of several versions{of}; give more of the id.")
        raise NotFoundError(f"There is no version '{text}'{of}; `headrace versions ASSET` lists those there are.")

    def versions(self, ids: Sequence[str]) -> list[Version]:
        """The versions with these ids; an id that no version has is left out."""
        queries = (select(versions).where(versions.c.id.in_(batch)) for batch in batches(ids))
        return rows_to_versions(row for query in queries for row in self._rows(query))

    def written(self, numbers: Sequence[int]) -> list[Version]:
        """The versions that transactions wrote, by partition."""
        query = select(versions).where(versions.c.transaction.in_(numbers)).order_by(versions.c.partition)
        return rows_to_versions(self._rows(query))

    def all_versions(self) -> Iterator[Version]:
        """Every version there is, of all namespaces, by id: for `gc` and `fsck`. Reads a page at a time."""
        last = ""
        while page := self._rows(select(versions).where(versions.c.id > last).order_by(versions.c.id).limit(PAGE)):
            yield from rows_to_versions(page)
            last = page[-1]["id"]

    def homes(self, ids: Iterable[str]) -> dict[str, Home]:
        """By id where versions were written; an id that no version has is left out."""
        columns = (_id, versions.c.namespace, versions.c.asset, versions.c.partition)
        queries = (select(*columns).where(_id.in_(batch)) for batch in batches(ids))
        rows = (row for query in queries for row in self._rows(query))
        return {row["id"]: (row["namespace"], row["asset"], row["partition"]) for row in rows}

    def unreachable_versions(self, since: int | datetime | None = None) -> set[str]:
        """The ids of the versions that no namespace shows now, neither itself nor through its pin.

        With `since`, also those are left out that a namespace showed of its own at that transaction or time, or later.
        """
        return {row["id"] for row in self._rows(unreachable_versions(self._number(since)))}

    def _number(self, moment: int | datetime | None) -> int | None:
        return None if moment is None else self._number_at(moment)

    def own_refs(self, namespace: Namespace) -> list[Ref]:
        """What a namespace shows of its own, by asset and partition."""
        return self._shown_refs(Scope(namespace, own=True))

    def own_versions(self, namespace: Namespace) -> list[Version]:
        """The versions behind those refs, in no order."""
        return self.versions([ref.version for ref in self.own_refs(namespace) if ref.version])

    def own_refs_at(self, namespace: Namespace, moment: int | datetime, places: Collection[Place]) -> list[Ref]:
        """What a namespace showed of its own at some places when a transaction was the newest, or at a time."""
        return self._shown_refs(Scope(namespace, self._number_at(moment), places=places, own=True), places)

    def shown_refs(self, namespace: Namespace, places: Collection[Place] | None = None) -> list[Ref]:
        """What a namespace shows, or that at some places, itself or from its parent: far less to fetch than the
        versions.
        """
        return self._shown_refs(Scope(namespace, places=places), places)

    def _shown_refs(self, scope: Scope, places: Collection[Place] | None = None) -> list[Ref]:
        shown = scope.refs
        query = select(*(shown.c[name] for name in refs.c.keys())).order_by(shown.c.asset, shown.c.partition)  # noqa: SIM118
        found = (Ref(**row) for row in self._rows(query, scope.parameters))
        wanted = None if places is None else set(places)
        return [ref for ref in found if wanted is None or (ref.asset, ref.partition) in wanted]

    def places_changed(self, namespace: Namespace, since: int | datetime) -> list[Place]:
        """Where a namespace may show something else of its own than at a transaction or time."""
        number = self._number_at(since)
        framed = select(1).where(pins.c.namespace == str(namespace), pins.c.since > number)
        # Once it was closed or opened again, whatever it had before may be gone.
        from_then = case((exists(framed), 0), else_=number)
        query = select(refs.c.asset, refs.c.partition).distinct()
        query = query.where(refs.c.namespace == str(namespace), refs.c.transaction > from_then)
        return [(row["asset"], row["partition"]) for row in self._rows(query.order_by(*query.selected_columns))]

    def refs_of(self, namespace: Namespace, numbers: Collection[int] | None = None) -> list[Ref]:
        """What a namespace was made to show, in the order of transactions: by all of them, or by those given."""
        query = select(refs).where(refs.c.namespace == str(namespace))
        if numbers is not None:
            query = query.where(refs.c.transaction.in_(numbers))
        ordered = query.order_by(refs.c.transaction, refs.c.asset, refs.c.partition)
        return [Ref(**row) for row in self._rows(ordered)]

    def assets(self) -> list[str]:
        """The names of all assets that ever had a version, in any namespace."""
        return [row["asset"] for row in self._rows(_assets())]

    def transaction(self, number: int) -> Transaction:
        """The transaction with this number."""
        found = self._rows(select(transactions).where(transactions.c.number == number))
        if not found:
            raise NotFoundError(f"There is no transaction {number} in this catalog.")
        return row_to_transaction(found[0])

    def newest_transaction(self) -> int:
        """The number of the newest transaction of all namespaces; 0 before the first."""
        (row,) = self._rows(select(func.max(transactions.c.number).label("number")))
        return row["number"] or 0

    def transactions(self, namespace: Namespace) -> list[Transaction]:
        """The transactions of a namespace, oldest first."""
        query = select(transactions).where(transactions.c.namespace == str(namespace)).order_by(transactions.c.number)
        return [row_to_transaction(row) for row in self._rows(query)]


@lru_cache
def _shown_since() -> Select[Any]:
    query = select(versions).join(refs, refs.c.version == versions.c.id).order_by(refs.c.transaction)
    at = (refs.c.namespace == bindparam("namespace"), refs.c.asset == bindparam("asset"))
    return query.where(*at, refs.c.transaction > bindparam("number"))


@lru_cache
def _assets() -> Select[tuple[str]]:
    """Goes from each name to the next one in the index, instead of reading all versions."""
    names = select(func.min(versions.c.asset).label("asset")).cte("names", recursive=True)
    following = select(func.min(versions.c.asset)).where(versions.c.asset > names.c.asset).scalar_subquery()
    names = names.union_all(select(following).where(names.c.asset.is_not(None)))
    return select(names.c.asset).where(names.c.asset.is_not(None))


def _shown(rows: Sequence[RowMapping]) -> list[Shown]:
    return [Shown(version, row["shown_by"]) for version, row in zip(rows_to_versions(rows), rows, strict=True)]


def _nothing_to_read(namespace: Namespace, asset: str, missing: Sequence[str]) -> str:
    if list(missing) == [UNPARTITIONED]:
        return f"{asset} has no version in {namespace} yet; run it first: headrace run {asset}"
    keys = missing[0] if len(missing) == 1 else f"{missing[0]}..{missing[-1]}"
    return (
        f"{asset} has no version of {listed(missing)} in {namespace} yet; run it first:"
        f" headrace run {asset} --partition {keys}"
    )
