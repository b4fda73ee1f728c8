"""Which versions nobody can reach any more, in SQL: what `gc` may touch, and nothing else."""

from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, CompoundSelect, Select, Subquery, Table, and_, exists, func, or_, select

from platform_core.catalog.tables import aliases, namespaces, pins, refs, transactions, versions
from platform_core.catalog.visibility import NEVER, Condition


def unreachable_versions(since: int | None) -> CompoundSelect[Any]:
    """The ids of what no namespace shows now, itself or through its pin, nor showed of its own at `since` or later."""
    return select(versions.c.id).except_(reachable_versions(since), named_versions(since))


def reachable_versions(since: int | None, *where: Condition) -> Select[tuple[str]]:
    """The ids of all others, some of them several times; with conditions, of those that such refs reach."""
    return _reached(_spans(refs, "partition", *where), since)


def named_versions(since: int | None) -> Select[tuple[str]]:
    """The ids of versions that an alias reaches, as a ref does."""
    return _reached(_spans(aliases, "name"), since)


def _reached(spans: Subquery, since: int | None) -> Select[tuple[str]]:
    frames = _frames()
    known_until = NEVER if since is None else since
    lasted = func.coalesce(spans.c.until, NEVER + 1) > known_until
    # What a namespace had before it was closed counts as long as the closing itself is within reach.
    counts = or_(spans.c.transaction >= frames.c.since, frames.c.since > known_until, frames.c.since.is_(None))
    query = select(spans.c.version).join(frames, frames.c.namespace == spans.c.namespace, isouter=True)
    return query.where(spans.c.version.is_not(None), or_(and_(lasted, counts), _pinned(spans)))


def _spans(table: Table, place: str, *where: Condition) -> Subquery:
    """Each ref or alias with the transaction that ended it; empty when it is current."""
    until = func.lead(table.c.transaction).over(
        partition_by=(table.c.asset, table.c.namespace, table.c[place]), order_by=table.c.transaction
    )
    return select(table, until.label("until")).where(*where).subquery()


def _frames() -> Subquery:
    """How each namespace reads at present; those that were never opened or closed are not among them."""
    age = func.row_number().over(partition_by=pins.c.namespace, order_by=pins.c.transaction.desc())
    numbered = select(pins, age.label("age")).subquery()
    query = select(numbered, namespaces.c.parent).join(namespaces, namespaces.c.name == numbered.c.namespace)
    return query.where(numbered.c.age == 1).subquery()


@lru_cache  # one and the same where a statement asks twice
def _pins() -> CTE:
    """As of which of its transactions a parent is read. Worked out once, not for each ref that is looked at.

    A pin counts as the parent's last transaction until then, so that many branches mostly have few pins between them.
    """
    frames = _frames()
    until_then = and_(transactions.c.namespace == frames.c.parent, transactions.c.number <= frames.c.pin)
    last = select(func.max(transactions.c.number)).where(until_then).correlate(frames).scalar_subquery()
    query = select(frames.c.parent, last.label("pin")).where(frames.c.pin.is_not(None)).distinct()
    return query.cte("pinned").prefix_with("MATERIALIZED")


def _pinned(spans: Subquery) -> Condition:
    pinned = _pins()
    at_the_pin = and_(
        pinned.c.parent == spans.c.namespace,
        spans.c.transaction <= pinned.c.pin,
        func.coalesce(spans.c.until, NEVER) > pinned.c.pin,
    )
    return exists(select(1).select_from(pinned).where(at_the_pin))
