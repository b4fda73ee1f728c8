"""Which versions somebody can still reach, in SQL: what `gc` must leave alone."""

from sqlalchemy import Select, Subquery, and_, exists, func, or_, select

from platform_core.catalog.tables import namespaces, pins, refs
from platform_core.catalog.visibility import NEVER, Condition


def reachable_versions(since: int | None, *where: Condition) -> Select[tuple[str]]:
    """The ids of what any namespace shows now, itself or through its pin, or showed of its own at `since` or later."""
    spans, frames = _spans(*where), _frames()
    known_until = NEVER if since is None else since
    lasted = func.coalesce(spans.c.until, NEVER + 1) > known_until
    # What a namespace had before it was closed counts as long as the closing itself is within reach.
    counts = or_(spans.c.transaction >= frames.c.since, frames.c.since > known_until, frames.c.since.is_(None))
    query = select(spans.c.version).join(frames, frames.c.namespace == spans.c.namespace, isouter=True)
    return query.where(spans.c.version.is_not(None), or_(and_(lasted, counts), _pinned(spans))).distinct()


def _spans(*where: Condition) -> Subquery:
    """Each ref with the transaction that ended it; empty when it is current."""
    until = func.lead(refs.c.transaction).over(
        partition_by=(refs.c.asset, refs.c.namespace, refs.c.partition), order_by=refs.c.transaction
    )
    return select(refs, until.label("until")).where(*where).subquery()


def _frames() -> Subquery:
    """How each namespace reads at present; those that were never opened or closed are not among them."""
    age = func.row_number().over(partition_by=pins.c.namespace, order_by=pins.c.transaction.desc())
    numbered = select(pins, age.label("age")).subquery()
    query = select(numbered, namespaces.c.parent).join(namespaces, namespaces.c.name == numbered.c.namespace)
    return query.where(numbered.c.age == 1).subquery()


def _pinned(spans: Subquery) -> Condition:
    pinned = _frames()
    at_the_pin = and_(
        pinned.c.parent == spans.c.namespace,
        spans.c.transaction <= pinned.c.pin,
        func.coalesce(spans.c.until, NEVER) > pinned.c.pin,
    )
    return exists(select(1).select_from(pinned).where(at_the_pin))
