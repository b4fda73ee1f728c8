"""Which refs a namespace shows, in SQL: the one place where read-through, pins and withdrawn refs are spelled out."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, ScalarSelect, Select, Subquery, and_, func, or_, select

from platform_core.catalog.tables import pins, refs, versions
from platform_core.namespaces import Namespace

Condition = ColumnElement[bool]
Place = tuple[str, str]

NEVER = 2**62  # later than any transaction
MOST_NAMES = 10_000  # in one condition; databases limit how many parameters a statement has


def shown_refs(namespace: Namespace, *where: Condition, moment: int | None = None) -> Subquery:
    """The refs that a namespace shows, now or as of a transaction: of each place its own newest, else its parent's.

    The columns are those of `refs`; a place whose newest ref was withdrawn counts as if it had none.
    """
    visible = _own(namespace, moment)
    if namespace.parent is not None:
        visible = or_(visible, _parents(namespace, namespace.parent, moment))
    age = func.row_number().over(
        partition_by=(refs.c.asset, refs.c.namespace, refs.c.partition), order_by=refs.c.transaction.desc()
    )
    newest = select(refs, age.label("age")).where(visible, *where).subquery()
    mine = newest.c.namespace == str(namespace)
    rank = func.row_number().over(partition_by=(newest.c.asset, newest.c.partition), order_by=mine.desc())
    there = and_(newest.c.age == 1, newest.c.version.is_not(None))
    ranked = select(newest, rank.label("rank")).where(there).subquery()
    return select(ranked).where(ranked.c.rank == 1).subquery()


def shown_versions(namespace: Namespace, *where: Condition, moment: int | None = None) -> Select[tuple[object, ...]]:
    """The versions behind those refs, each with the namespace that shows it as `shown_by`, by asset and partition."""
    shown = shown_refs(namespace, *where, moment=moment)
    query = select(versions, shown.c.namespace.label("shown_by")).join(shown, shown.c.version == versions.c.id)
    return query.order_by(versions.c.asset, versions.c.partition)


def at(places: Collection[Place]) -> Condition:
    """Refs at these places, and perhaps at some more: of each asset at the partitions of the others."""
    assets, partitions = {asset for asset, _ in places}, {partition for _, partition in places}
    among = refs.c.asset.in_(sorted(assets))
    return among if len(partitions) > MOST_NAMES else and_(among, refs.c.partition.in_(sorted(partitions)))


def _own(namespace: Namespace, moment: int | None) -> Condition:
    since = func.coalesce(in_force(namespace, "since", moment), 0)
    own = and_(refs.c.namespace == str(namespace), refs.c.transaction >= since)
    return own if moment is None else and_(own, refs.c.transaction <= moment)


def _parents(namespace: Namespace, parent: Namespace, moment: int | None) -> Condition:
    pin = func.coalesce(in_force(namespace, "pin", moment), NEVER)
    theirs = and_(refs.c.namespace == str(parent), refs.c.transaction <= pin)
    return theirs if moment is None else and_(theirs, refs.c.transaction <= moment)


def in_force(namespace: Namespace, column: str, moment: int | None = None) -> ScalarSelect[int]:
    """The `pin` or `since` of a namespace, now or as of a transaction; empty when it was never opened."""
    query = select(pins.c[column]).where(pins.c.namespace == str(namespace))
    if moment is not None:
        query = query.where(pins.c.transaction <= moment)
    return query.order_by(pins.c.transaction.desc()).limit(1).scalar_subquery()
