"""Versions that did not pass their checks: kept for whoever wants to see why, and never anybody's current version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, String, cast, exists, insert, select

from platform_core.catalog.attempts import change
from platform_core.catalog.lifecycle import Lifecycle
from platform_core.catalog.records import rows_to_versions, version_to_row
from platform_core.catalog.tables import refs, versions
from platform_core.catalog.values import REJECTED, Expectation, Move, Version
from platform_core.catalog.visibility import batches
from platform_core.catalog.writing import ensure_namespace, next_transaction
from platform_core.errors import ConflictError
from platform_core.namespaces import Namespace


class Rejecting(Lifecycle):
    """Keeping what was refused."""

    def reject(self, namespace: Namespace, drafts: Sequence[Version], reason: str) -> list[Version]:
        """Keeps new versions that no ref will ever show, in one transaction. Returns them with its number."""
        marked = [replace(draft, metadata={**draft.metadata, REJECTED: reason}) for draft in drafts]

        def work(connection: Connection, token: str) -> list[Version]:
            ensure_namespace(connection, namespace)
            number = next_transaction(connection, namespace, "reject", reason, token)
            connection.execute(insert(versions), [version_to_row(draft) | {"transaction": number} for draft in marked])
            return [replace(draft, transaction=number) for draft in marked]

        return change(self._engine, work) if marked else []

    def keep(self, namespace: Namespace, drafts: Sequence[Version], marks: Mapping[str, str]) -> list[Version]:
        """Keeps new versions of trials, which no ref shows unless somebody makes one current. Returns them numbered."""
        marked = [replace(draft, metadata={**draft.metadata, **marks}) for draft in drafts]

        def work(connection: Connection, token: str) -> list[Version]:
            ensure_namespace(connection, namespace)
            number = next_transaction(connection, namespace, "try", ", ".join(marks.values()), token)
            connection.execute(insert(versions), [version_to_row(draft) | {"transaction": number} for draft in marked])
            return [replace(draft, transaction=number) for draft in marked]

        return change(self._engine, work) if marked else []

    def unpublished(
        self, namespace: Namespace, asset: str, partition: str | None = None, limit: int | None = None
    ) -> list[Version]:
        """The versions that a namespace and its parent wrote of an asset and never showed, newest first."""
        names = [str(item) for item in (namespace, namespace.parent) if item]
        shown = exists(select(1).where(refs.c.asset == versions.c.asset, refs.c.version == versions.c.id))
        query = select(versions).where(versions.c.asset == asset, versions.c.namespace.in_(names), ~shown)
        if partition is not None:
            query = query.where(versions.c.partition == partition)
        return rows_to_versions(self._rows(query.order_by(versions.c.transaction.desc()).limit(limit)))

    def move_refs(
        self,
        namespace: Namespace,
        moves: Sequence[Move],
        *,
        kind: str,
        message: str = "",
        expects: Sequence[Expectation] = (),
    ) -> int:
        """As in `Writing`; a version that its checks rejected can never be made current."""
        self.refuse_rejected(move.version for move in moves if move.version is not None)
        return super().move_refs(namespace, moves, kind=kind, message=message, expects=expects)

    def refuse_rejected(self, ids: Iterable[str]) -> None:
        """Raises when one of these versions was rejected. That never changes, so it needs no lock."""
        rejected = cast(versions.c.metadata, String).contains(f'"{REJECTED}"', autoescape=True)
        queries = (select(versions).where(versions.c.id.in_(batch), rejected) for batch in batches(ids))
        for found in (rows_to_versions(self._rows(query)) for query in queries):
            for version in found:
                raise ConflictError(
                    f"{version.label} was rejected by its checks and cannot be made current: {version.rejected}.",
                    [version.asset],
                )
