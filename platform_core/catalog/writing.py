"""What changes the catalog: each change is one numbered transaction, complete or not there at all."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, bindparam, insert, select, update

from platform_core.catalog.attempts import change
from platform_core.catalog.reachability import named_versions, reachable_versions
from platform_core.catalog.reading import Reading
from platform_core.catalog.records import version_to_row
from platform_core.catalog.tables import namespaces, refs, transactions, versions
from platform_core.catalog.values import Expectation, Move, Version
from platform_core.catalog.visibility import Place, Scope, batches
from platform_core.errors import ConflictError, NamespaceError, NotFoundError, listed
from platform_core.namespaces import Namespace
from platform_core.settings import login

MOST_TOLD = 6
Within = Callable[[Connection, int], None]  # takes the number of the transaction
PORTION = 1_000  # versions that are given up in one transaction


class Writing(Reading):
    """The changes. Files must be complete in the store before the transaction that shows them."""

    def commit(
        self,
        namespace: Namespace,
        drafts: Sequence[Version],
        *,
        kind: str = "write",
        message: str = "",
        expects: Sequence[Expectation] = (),
        within: Within | None = None,
    ) -> list[Version]:
        """Makes new versions current in a namespace: all of them in one transaction, or none.

        Returns the versions with their transaction and with what each replaces of the namespace's own. When an
        expectation does not hold, nothing is written and the error names what moved.

        Args:
            within: what else belongs to the transaction; when it raises, nothing is written.
        """
        if not drafts:
            return []
        rows = [version_to_row(draft) for draft in drafts]

        def work(connection: Connection, token: str) -> list[Version]:
            _check(connection, namespace, expects)
            number = next_transaction(connection, namespace, kind, message, token)
            before = _own(connection, namespace, [(draft.asset, draft.partition) for draft in drafts])
            done = [
                replace(draft, transaction=number, replaces=before.get((draft.asset, draft.partition)))
                for draft in drafts
            ]
            given = [{"transaction": number, "replaces": version.replaces} for version in done]
            connection.execute(insert(versions), [row | more for row, more in zip(rows, given, strict=True)])
            _point(connection, namespace, number, [Move(draft.asset, draft.partition, draft.id) for draft in drafts])
            if within is not None:
                within(connection, number)
            return done

        return change(self._engine, work)

    def move_refs(
        self,
        namespace: Namespace,
        moves: Sequence[Move],
        *,
        kind: str,
        message: str = "",
        expects: Sequence[Expectation] = (),
    ) -> int:
        """Makes versions that exist current in a namespace, or withdraws its own, in one transaction: its number.

        Where a namespace's own ref is withdrawn (a move without version) it shows its parent's again. When an
        expectation does not hold, nothing is moved and the error names every place that did.
        """

        def work(connection: Connection, token: str) -> int:
            _check(connection, namespace, expects)
            require_versions(connection, moves)
            number = next_transaction(connection, namespace, kind, message, token)
            _point(connection, namespace, number, moves)
            return number

        return change(self._engine, work)

    def forget(self, ids: Collection[str], since: int | datetime | None = None) -> list[str]:
        """Marks versions as given up, so that nobody can make them current again: those whose files may be deleted.

        Versions that a namespace shows, itself or through its pin, are left alone, and with `since` those that one
        showed of its own then or later; so are those that the database does not let this process change. Rows stay:
        they are provenance. Many take several transactions, so that writers need not wait for long.
        """
        number = self._number(since)
        # By place, so that what a portion needs to know lies together.
        wanted = sorted(self.homes(ids).items(), key=lambda item: item[1][1:])
        portions = (wanted[start : start + PORTION] for start in range(0, len(wanted), PORTION))
        gone = [self._forget([id for id, _ in portion], number) for portion in portions]
        return sorted(id for some in gone for id in some)

    def _forget(self, ids: Collection[str], since: int | None) -> set[str]:
        def work(connection: Connection, _token: str) -> set[str]:
            known = _known(connection, ids)
            at = [refs.c[name].in_({row._mapping[name] for row in known.values()}) for name in ("asset", "partition")]
            kept = {*connection.scalars(reachable_versions(since, *at)), *connection.scalars(named_versions(since))}
            before = {row.id for row in known.values() if row.forgotten_at is not None}
            return before | _mark(connection, set(known) - kept - before)

        return change(self._engine, work)


def _known(connection: Connection, ids: Iterable[str]) -> dict[str, Row[Any]]:
    """By id what says whether a version may be shown at a place; ids that no version has are left out."""
    query = select(versions.c.id, versions.c.asset, versions.c.partition, versions.c.forgotten_at)
    found = (connection.execute(query.where(versions.c.id.in_(batch))) for batch in batches(ids))
    return {row.id: row for rows in found for row in rows}


def _mark(connection: Connection, ids: Iterable[str]) -> set[str]:
    marked = update(versions).values(forgotten_at=datetime.now(UTC)).returning(versions.c.id)
    found = (connection.scalars(marked.where(versions.c.id.in_(batch))) for batch in batches(ids))
    return {version for rows in found for version in rows}


def move(engine: Engine, namespace: Namespace, kind: str, message: str, work: Within) -> int:
    """One numbered transaction of a namespace, which is made when it is not there: its number."""

    def whole(connection: Connection, token: str) -> int:
        ensure_namespace(connection, namespace)
        number = next_transaction(connection, namespace, kind, message, token)
        work(connection, number)
        return number

    return change(engine, whole)


def _check(connection: Connection, namespace: Namespace, expects: Sequence[Expectation]) -> None:
    ensure_namespace(connection, namespace)
    _require(connection, expects)


def ensure_namespace(connection: Connection, namespace: Namespace) -> None:
    """Creates a namespace on its first write; refuses one that was closed."""
    found = known_namespace(connection, namespace)
    if found is None:
        new_namespace(connection, namespace, login())
    elif found.closed_at is not None:
        raise NamespaceError(f"{namespace} was closed; nothing is written to it unless it is opened again.")


def known_namespace(connection: Connection, namespace: Namespace) -> Row[Any] | None:
    return connection.execute(_namespace_by_name(), {"name": str(namespace)}).one_or_none()


@lru_cache
def _namespace_by_name() -> Select[Any]:
    return select(namespaces).where(namespaces.c.name == bindparam("name"))


def new_namespace(connection: Connection, namespace: Namespace, owner: str) -> dict[str, Any]:
    """The row of a namespace that did not exist. Its parent does: a catalog has production from the beginning."""
    parent = str(namespace.parent) if namespace.parent else None
    row = {"name": str(namespace), "parent": parent, "owner": owner, "created_at": datetime.now(UTC)}
    connection.execute(insert(namespaces), row)
    return row


def next_transaction(connection: Connection, namespace: Namespace, kind: str, message: str, token: str) -> int:
    """Numbers are given in the order of commits: whoever comes here holds the lock of writers until it commits."""
    row = {
        "namespace": str(namespace),
        "kind": kind,
        "author": login(),
        "message": message,
        "committed_at": datetime.now(UTC),
        "token": token,
    }
    return int(connection.execute(insert(transactions), row).inserted_primary_key[0])  # type: ignore[index]


def _point(connection: Connection, namespace: Namespace, number: int, moves: Sequence[Move]) -> None:
    rows = [
        {
            "namespace": str(namespace),
            "asset": move.asset,
            "partition": move.partition,
            "transaction": number,
            "version": move.version,
        }
        for move in moves
    ]
    if rows:
        connection.execute(insert(refs), rows)


def _shown(connection: Connection, namespace: Namespace, places: Collection[Place]) -> Mapping[Place, tuple[str, str]]:
    """By place the id of what a namespace shows there, and who shows it."""
    scope = Scope(namespace, places=places)
    rows = connection.execute(select(scope.refs), scope.parameters)
    return {(row.asset, row.partition): (row.version, row.namespace) for row in rows}


def _own(connection: Connection, namespace: Namespace, places: Collection[Place]) -> dict[Place, str]:
    found = _shown(connection, namespace, places)
    return {place: version for place, (version, shown_by) in found.items() if shown_by == str(namespace)}


def _require(connection: Connection, expects: Sequence[Expectation]) -> None:
    moved = [what for namespace in {e.namespace for e in expects} for what in _moved(connection, namespace, expects)]
    if moved:
        places = sorted({place for place, _ in moved})
        told = "; ".join(sentence for _, sentence in moved[:MOST_TOLD])
        more = f"; and {len(moved) - MOST_TOLD} more" if len(moved) > MOST_TOLD else ""
        raise ConflictError(
            f"Nothing was changed, because {listed(places)} moved in the meantime: {told}{more}.", places
        )


def _moved(connection: Connection, namespace: Namespace, expects: Iterable[Expectation]) -> list[tuple[str, str]]:
    """What does not hold of the expectations of one namespace: places, each with what is shown there instead."""
    wanted = {(item.asset, item.partition): item.version for item in expects if item.namespace == namespace}
    shown = {place: version for place, (version, _) in _shown(connection, namespace, list(wanted)).items()}
    return [
        (_label(place), f"{namespace} shows {_named(shown.get(place))} of {_label(place)}, expected {_named(version)}")
        for place, version in wanted.items()
        if shown.get(place) != version
    ]


def _label(place: Place) -> str:
    asset, partition = place
    return f"{asset}[{partition}]" if partition else asset


def _named(version: str | None) -> str:
    return "no version" if version is None else version


def require_versions(connection: Connection, moves: Sequence[Move]) -> None:
    """Refuses to show what is no version of the place, or no longer has files."""
    wanted = {move.version: (move.asset, move.partition) for move in moves if move.version is not None}
    known = _known(connection, wanted)
    for version, place in wanted.items():
        row = known.get(version)
        if row is None or (row.asset, row.partition) != place:
            raise NotFoundError(f"There is no version {version} of {_label(place)}; nothing was changed.")
        if row.forgotten_at is not None:
            raise NotFoundError(
                f"The files of {_label(place)}@{version} were given up by `headrace gc` on {row.forgotten_at:%Y-%m-%d};"
                " nothing was changed. Compute it again instead."
            )
