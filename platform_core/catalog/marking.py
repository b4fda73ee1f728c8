"""What people say of versions afterwards: names such as `champion`, and tags. Each word is one row of a transaction."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, RowMapping, Select, insert, select

from platform_core.catalog.branching import Branching
from platform_core.catalog.records import in_utc
from platform_core.catalog.tables import aliases, tags, transactions
from platform_core.catalog.values import Alias, AliasMove, Move, Version
from platform_core.catalog.visibility import said_of
from platform_core.catalog.writing import move, require_versions
from platform_core.errors import ConflictError, NotFoundError
from platform_core.namespaces import Namespace

_ALIAS = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


def is_alias(text: str) -> bool:
    """Whether a text may be a name of versions: small letters, digits, `_`, `.` and `-`, a letter first."""
    return _ALIAS.fullmatch(text) is not None


class Marking(Branching):
    """Aliases and tags: in each namespace its own, else its parent's as of the pin, as with refs."""

    def aliases(self, namespace: Namespace, asset: str) -> list[Alias]:
        """The names that a namespace shows of an asset's versions, by name."""
        said = said_of(aliases, namespace.parent is not None)
        query = _with_author(said).order_by(said.c.name)
        return [_alias(row) for row in self._rows(query, _of(namespace, asset))]

    def alias_history(self, namespace: Namespace, asset: str, name: str | None = None) -> list[Alias]:
        """What the names of an asset's versions meant in a namespace and its parent, the last word first."""
        names = [str(item) for item in (namespace, namespace.parent) if item]
        query = _with_author(aliases)
        query = query.where(aliases.c.asset == asset, aliases.c.namespace.in_(names))
        if name is not None:
            query = query.where(aliases.c.name == name)
        return [_alias(row) for row in self._rows(query.order_by(aliases.c.transaction.desc(), aliases.c.name))]

    def move_aliases(
        self,
        namespace: Namespace,
        moves: Sequence[AliasMove],
        why: str = "",
        expects: Mapping[tuple[str, str], str | None] | None = None,
    ) -> int:
        """Gives names to versions, or takes them away, in one transaction: its number.

        Args:
            expects: by asset and name the version that the namespace must show for it, else nothing is changed.

        Raises:
            NotFoundError: a version is not one of the asset, or its files were given up.
            ConflictError: a version was rejected by its checks, or a name means something else by now.
        """
        for name in (item.name for item in moves):
            if not is_alias(name):
                raise NotFoundError(
                    f"'{name}' cannot be an alias; use small letters, digits, _, . and -, a letter first."
                )
        self.refuse_rejected(item.version for item in moves if item.version is not None)
        homes = self.homes([item.version for item in moves if item.version is not None])

        def work(connection: Connection, number: int) -> None:
            _require_meant(connection, namespace, expects or {})
            named = [item for item in moves if item.version is not None]
            places = [(item, homes.get(item.version or "", ("", item.asset, ""))[2]) for item in named]
            require_versions(connection, [Move(item.asset, partition, item.version) for item, partition in places])
            connection.execute(insert(aliases), [_row(namespace, number, item) for item in moves])

        return move(self._engine, namespace, "alias", why, work)

    def tag(self, namespace: Namespace, version: Version, given: Mapping[str, str | None], why: str = "") -> int:
        """Says things of a version, or withdraws them (None), in one transaction: its number."""
        rows = [
            {"asset": version.asset, "version": version.id, "namespace": str(namespace), "name": name, "value": value}
            for name, value in given.items()
        ]

        def work(connection: Connection, number: int) -> None:
            connection.execute(insert(tags), [row | {"transaction": number} for row in rows])

        return move(self._engine, namespace, "tag", why, work)

    def tags(self, namespace: Namespace, asset: str) -> dict[str, dict[str, str]]:
        """By version of an asset what a namespace says of it."""
        said = said_of(tags, namespace.parent is not None)
        query = select(said.c.version, said.c.name, said.c.value).order_by(said.c.version, said.c.name)
        found: dict[str, dict[str, str]] = {}
        for row in self._rows(query, _of(namespace, asset)):
            found.setdefault(row["version"], {})[row["name"]] = row["value"]
        return found


def _of(namespace: Namespace, asset: str) -> dict[str, object]:
    return {"namespace": str(namespace), "parent": str(namespace.parent), "asset": asset}


def _with_author(rows: FromClause) -> Select[Any]:
    told = (transactions.c.author, transactions.c.committed_at, transactions.c.message)
    return select(rows, *told).join(transactions, transactions.c.number == rows.c.transaction)


def _alias(row: RowMapping) -> Alias:
    return Alias(
        row["asset"], row["name"], row["version"], row["namespace"], row["transaction"], row["author"],
        in_utc(row["committed_at"]), row["message"],
    )  # fmt: skip


def _row(namespace: Namespace, number: int, item: AliasMove) -> dict[str, object]:
    return {
        "asset": item.asset,
        "name": item.name,
        "namespace": str(namespace),
        "transaction": number,
        "version": item.version,
    }


def _require_meant(connection: Connection, namespace: Namespace, expects: Mapping[tuple[str, str], str | None]) -> None:
    said = said_of(aliases, namespace.parent is not None)
    for (asset, name), version in expects.items():
        query = select(said.c.version).where(said.c.name == name)
        found = connection.scalar(query, _of(namespace, asset))
        if found != version:
            raise ConflictError(
                f"Nothing was changed, because {asset}@{name} moved in the meantime: it means {found or 'nothing'},"
                f" expected {version or 'nothing'}.",
                [asset],
            )
