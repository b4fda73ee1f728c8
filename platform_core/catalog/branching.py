"""Branch deployments in the catalog: opened with their namespace, promoted in one transaction, noted in a log."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from platform_core.catalog.attempts import patiently
from platform_core.catalog.branch_values import Branch, Promotion
from platform_core.catalog.records import in_utc
from platform_core.catalog.rejecting import Rejecting
from platform_core.catalog.tables import branches, promotions, versions
from platform_core.catalog.values import Expectation, NamespaceRecord, Version
from platform_core.errors import ConflictError, NamespaceError
from platform_core.namespaces import Namespace


class Branching(Rejecting):
    """What is known of branch deployments."""

    def open_branch(self, branch: Branch, owner: str = "") -> NamespaceRecord:
        """Opens the namespace of a branch, pinned to what its parent shows now, and notes the branch: both or neither.

        Raises:
            NamespaceError: it is open already, or was closed and what it had is not removed yet.
        """
        namespace = Namespace.parse(branch.namespace)
        if self.branch(namespace) is not None:
            state = "is open already" if self.namespace(namespace).closed_at is None else "is only half closed"
            raise NamespaceError(f"{namespace} {state}; end it with: headrace branch close {branch.git_branch}")
        return self.open_namespace(namespace, owner, within=lambda connection, _: _note(connection, branch))

    def branch(self, namespace: Namespace) -> Branch | None:
        """The branch deployment of a namespace; none where it has none, or nothing is left of it."""
        rows = self._rows(select(branches).where(branches.c.namespace == str(namespace)))
        return _branch(rows[0]) if rows else None

    def branches(self) -> list[tuple[Branch, NamespaceRecord]]:
        """All branch deployments of which something is left, by namespace."""
        known = {record.name: record for record in self.namespaces(closed=True)}
        rows = self._rows(select(branches).order_by(branches.c.namespace))
        return [(branch, known[branch.namespace]) for branch in map(_branch, rows)]

    def move_branch(self, branch: Branch) -> None:
        """Says that a branch goes on with other code, and until when it stays unless it is kept for good."""
        told = asdict(branch)
        namespace, expires = told.pop("namespace"), told.pop("expires_at")
        mine = update(branches).where(branches.c.namespace == namespace)
        self._change(mine.values(told))
        self._change(mine.where(branches.c.expires_at.is_not(None)).values(expires_at=expires))

    def keep_branch(self, namespace: Namespace, until: datetime | None) -> None:
        """Says until when a branch stays; None: until somebody closes it."""
        change = update(branches).where(branches.c.namespace == str(namespace)).values(expires_at=until)
        self._change(change)

    def remove_branch(self, namespace: Namespace) -> None:
        """Forgets a branch of which nothing is left. The history of its namespace stays."""
        self._change(delete(branches).where(branches.c.namespace == str(namespace)))

    def written_by(self, namespace: Namespace) -> list[str]:
        """The ids of all versions that a namespace ever wrote, those that its checks refused included."""
        query = select(versions.c.id).where(versions.c.namespace == str(namespace))
        return [row["id"] for row in self._rows(query)]

    def _change(self, statement: object) -> None:
        def attempt() -> None:
            with self._engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
                connection.execute(statement)  # type: ignore[call-overload]

        patiently(self._engine, attempt)

    def promote(
        self,
        namespace: Namespace,
        drafts: Sequence[Version],
        expects: Sequence[Expectation],
        log: Promotion,
        verify: Callable[[], object] = lambda: None,
    ) -> list[Version]:
        """Makes the versions of a branch current in another namespace, and notes by whose leave: all or nothing.

        Args:
            verify: raises within the transaction when the leave does not hold any more.

        Raises:
            ConflictError: something moved, or the token was used before.
        """
        message = f"{log.branch}, let by {log.issuer}"

        def within(connection: Connection, number: int) -> None:
            verify()
            _refuse_used(connection, log)
            connection.execute(insert(promotions), asdict(log) | {"transaction": number, "namespace": str(namespace)})

        return self.commit(namespace, drafts, kind="promote", message=message, expects=expects, within=within)

    def promotions(self, branch: Namespace | None = None) -> list[Promotion]:
        """The log of promotions, of all or of one branch, oldest first."""
        query = select(promotions).order_by(promotions.c.transaction)
        if branch is not None:
            query = query.where(promotions.c.branch == str(branch))
        return [Promotion(**row | {"issued_at": in_utc(row["issued_at"])}) for row in map(dict, self._rows(query))]


def _note(connection: Connection, branch: Branch) -> None:
    connection.execute(insert(branches), asdict(branch))


def _branch(row: RowMapping) -> Branch:
    expires = row["expires_at"]
    return Branch(**{**row, "expires_at": expires and in_utc(expires)})


def _refuse_used(connection: Connection, log: Promotion) -> None:
    used = connection.scalar(select(promotions.c.transaction).where(promotions.c.token == log.token))
    if used is not None:
        raise ConflictError(
            f"Nothing was changed: this token let transaction {used} happen, and is good for one; issue another one."
        )
