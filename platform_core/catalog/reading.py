"""What the catalog answers: each question is one query."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine, Executable, RowMapping, func, or_, select

from platform_core.catalog.attempts import patiently
from platform_core.catalog.reachability import reachable_versions
from platform_core.catalog.records import in_utc, row_to_transaction, row_to_version
from platform_core.catalog.tables import refs, transactions, versions
from platform_core.catalog.values import UNPARTITIONED, Ref, Shown, Transaction, Version
from platform_core.catalog.visibility import Scope, batches
from platform_core.errors import NotFoundError, listed
from platform_core.namespaces import Namespace

PAGE = 1_000


class Reading:
    """The questions. Each is answered as of one moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, query: Executable, parameters: Mapping[str, object] | None = None) -> Sequence[RowMapping]:
        def attempt() -> Sequence[RowMapping]:
            with self._engine.connect() as connection:
                return connection.execute(query, parameters).mappings().all()

        return patiently(self._engine, attempt)

    def resolve(self, namespace: Namespace, asset: str, partitions: Sequence[str] | None = None) -> dict[str, Shown]:
        """What a namespace shows of an asset, by partition: its own versions, else its parent's as of the pin.

        `partitions` limits the answer; partitions that have no version are simply absent.
        """
        shown = self._shown(Scope(namespace, assets=[asset], partitions=partitions))
        found = {item.version.partition: item for item in shown}
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
        return self._shown(Scope(namespace))

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
        rows = self._rows(scope.versions, scope.parameters)
        return [Shown(row_to_version(row), row["shown_by"]) for row in rows]

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
        return [Shown(row_to_version(row), row["shown_by"]) for row in self._rows(query)]

    def version(self, text: str, asset: str | None = None) -> Version:
        """The version with this id, or with an id of which this is the beginning or the last part."""
        named = or_(
            versions.c.id.startswith(text, autoescape=True), versions.c.id.contains(f"-{text}", autoescape=True)
        )
        query = select(versions) if asset is None else select(versions).where(versions.c.asset == asset)
        # An id in full is looked up; only a part of one is searched for.
        found = self._rows(query.where(versions.c.id == text)) or self._rows(query.where(named).limit(2))
        if len(found) == 1:
            return row_to_version(found[0])
        of = f" of {asset}" if asset else ""
        if found:
            raise NotFoundError(f"'{text}' is the beginning of several versions{of}; give more of the id.")
        raise NotFoundError(f"There is no version '{text}'{of}; `headrace versions ASSET` lists those there are.")

    def versions(self, ids: Sequence[str]) -> list[Version]:
        """The versions with these ids; an id that no version has is left out."""
        queries = (select(versions).where(versions.c.id.in_(batch)) for batch in batches(ids))
        return [row_to_version(row) for query in queries for row in self._rows(query)]

    def written(self, numbers: Sequence[int]) -> list[Version]:
        """The versions that transactions wrote, by partition."""
        query = select(versions).where(versions.c.transaction.in_(numbers)).order_by(versions.c.partition)
        return [row_to_version(row) for row in self._rows(query)]

    def all_versions(self) -> Iterator[Version]:
        """Every version there is, of all namespaces, by id: for `gc` and `fsck`. Reads a page at a time."""
        last = ""
        while page := self._rows(select(versions).where(versions.c.id > last).order_by(versions.c.id).limit(PAGE)):
            yield from map(row_to_version, page)
            last = page[-1]["id"]

    def reachable_versions(self, since: int | datetime | None = None) -> set[str]:
        """The ids of the versions that any namespace shows now, itself or through its pin.

        With `since`, also of those that a namespace showed of its own at that transaction or time, or later.
        """
        number = None if since is None else self._number_at(since)
        return {row["version"] for row in self._rows(reachable_versions(number))}

    def own_refs(self, namespace: Namespace) -> list[Ref]:
        """What a namespace shows of its own, by asset and partition."""
        scope = Scope(namespace, own=True)
        shown = scope.refs
        query = select(*(shown.c[name] for name in refs.c.keys())).order_by(shown.c.asset, shown.c.partition)  # noqa: SIM118
        return [Ref(**row) for row in self._rows(query, scope.parameters)]

    def refs_of(self, namespace: Namespace, numbers: Collection[int] | None = None) -> list[Ref]:
        """What a namespace was made to show, in the order of transactions: by all of them, or by those given."""
        query = select(refs).where(refs.c.namespace == str(namespace))
        if numbers is not None:
            query = query.where(refs.c.transaction.in_(numbers))
        ordered = query.order_by(refs.c.transaction, refs.c.asset, refs.c.partition)
        return [Ref(**row) for row in self._rows(ordered)]

    def assets(self) -> list[str]:
        """The names of all assets that ever had a version, in any namespace."""
        return [row["asset"] for row in self._rows(select(versions.c.asset).distinct().order_by(versions.c.asset))]

    def transaction(self, number: int) -> Transaction:
        """The transaction with this number."""
        found = self._rows(select(transactions).where(transactions.c.number == number))
        if not found:
            raise NotFoundError(f"There is no transaction {number} in this catalog.")
        return row_to_transaction(found[0])

    def transactions(self, namespace: Namespace) -> list[Transaction]:
        """The transactions of a namespace, oldest first."""
        query = select(transactions).where(transactions.c.namespace == str(namespace)).order_by(transactions.c.number)
        return [row_to_transaction(row) for row in self._rows(query)]


def _nothing_to_read(namespace: Namespace, asset: str, missing: Sequence[str]) -> str:
    if list(missing) == [UNPARTITIONED]:
        return f"{asset} has no version in {namespace} yet; run it first: headrace run {asset}"
    keys = missing[0] if len(missing) == 1 else f"{missing[0]}..{missing[-1]}"
    return (
        f"{asset} has no version of {listed(missing)} in {namespace} yet; run it first:"
        f" headrace run {asset} --partition {keys}"
    )
