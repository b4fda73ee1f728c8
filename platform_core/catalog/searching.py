"""Finds versions by what was logged, said and known of them, and puts them in order by a metric: one query."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, cast, func, or_, select

from platform_core.catalog.dialects import number_in, text_in
from platform_core.catalog.marking import Marking
from platform_core.catalog.records import in_utc, rows_to_versions
from platform_core.catalog.tables import tags, versions
from platform_core.catalog.values import REJECTED, Version
from platform_core.catalog.visibility import said_of
from platform_core.namespaces import Namespace

Kind = Literal["metric", "parameter", "tag"]
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]

_COMPARE: dict[Comparison, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of something that is known of a version under a name; without a kind, of any of the three.

    Of what a version does not have, no condition holds. A value that reads as a number is compared as one.
    """

    name: str
    comparison: Comparison
    value: str
    kind: Kind | None = None

    @property
    def number(self) -> float | None:
        try:
            return float(self.value)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Search:
    """Which versions are looked for, and in which order: by a metric or parameter, else the newest first.

    everywhere: what any namespace wrote, not only this one and its parent. refused: also what checks rejected.
    """

    asset: str
    partition: str | None = None
    conditions: tuple[Condition, ...] = ()
    author: str | None = None
    commit: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    by: str | None = None
    smallest_first: bool = False
    limit: int | None = 20
    everywhere: bool = False
    refused: bool = False


class Searching(Marking):
    """Looking for versions."""

    def search(self, namespace: Namespace, search: Search) -> list[Version]:
        """The versions that fit, were they ever shown or not; in an order by a number only those that have it."""
        query = select(versions).where(*_where(namespace, search))
        newest = (versions.c.transaction.desc(), versions.c.id.desc())
        if search.by is not None:
            metric, parameter = number_in(versions.c.metadata, search.by), _parameter(search.by)
            number = or_(metric.is_not(None), parameter.is_not(None))
            order = func.coalesce(metric, parameter)
            query = query.where(number).order_by(order.asc() if search.smallest_first else order.desc())
        given = {"namespace": str(namespace), "parent": str(namespace.parent), "asset": search.asset}
        return rows_to_versions(self._rows(query.order_by(*newest).limit(search.limit), given))


def _parameter(name: str) -> ColumnElement[float]:
    return number_in(versions.c.provenance, name, within="parameters")


def _where(namespace: Namespace, search: Search) -> list[ColumnElement[bool]]:
    names = [str(item) for item in (namespace, namespace.parent) if item]
    where = [versions.c.asset == search.asset]
    if not search.everywhere:
        where.append(versions.c.namespace.in_(names))
    if not search.refused:
        where.append(~cast(versions.c.metadata, String).contains(f'"{REJECTED}"', autoescape=True))
    if search.partition is not None:
        where.append(versions.c.partition == search.partition)
    if search.author is not None:
        where.append(text_in(versions.c.provenance, "author") == search.author)
    if search.commit is not None:
        where.append(text_in(versions.c.provenance, "git_commit").startswith(search.commit, autoescape=True))
    if search.since is not None:
        where.append(versions.c.created_at >= in_utc(search.since))
    if search.until is not None:
        where.append(versions.c.created_at <= in_utc(search.until))
    return where + [_holds(condition, namespace) for condition in search.conditions]


def _holds(condition: Condition, namespace: Namespace) -> ColumnElement[bool]:
    kinds: Sequence[Kind] = (condition.kind,) if condition.kind else ("metric", "parameter", "tag")
    return or_(*(_holds_of(kind, condition, namespace) for kind in kinds))


def _holds_of(kind: Kind, condition: Condition, namespace: Namespace) -> ColumnElement[bool]:
    compare = _COMPARE[condition.comparison]
    if kind == "tag":
        said = said_of(tags, namespace.parent is not None)
        fitting = select(said.c.version).where(said.c.name == condition.name, compare(said.c.value, condition.value))
        return versions.c.id.in_(fitting)  # worked out once, not for each version
    column, within = (versions.c.metadata, "") if kind == "metric" else (versions.c.provenance, "parameters")
    if condition.number is not None:
        return compare(number_in(column, condition.name, within), condition.number)
    return compare(text_in(column, condition.name, within), condition.value)
