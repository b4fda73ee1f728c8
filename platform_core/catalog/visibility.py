"""Which refs a namespace shows, in SQL: the one place where read-through, pins and withdrawn refs are spelled out."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, bindparam, func, or_, select

from platform_core.catalog.tables import pins, refs, versions
from platform_core.namespaces import Namespace

Condition = ColumnElement[bool]
Place = tuple[str, str]

NEVER = 2**62  # later than any transaction
MOST_NAMES = 10_000  # in one condition; databases limit how many parameters a statement has


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: a namespace, now or as of a transaction, all that it shows or what is at some places."""

    namespace: Namespace
    moment: int | None = None
    assets: Collection[str] | None = None
    partitions: Collection[str] | None = None
    own: bool = False  # leave out what the parent shows

    @classmethod
    def at(cls, namespace: Namespace, places: Collection[Place]) -> "Scope":
        """These places, and perhaps some more: of each asset also the partitions of the others."""
        return cls(namespace, None, {asset for asset, _ in places}, {partition for _, partition in places})

    @property
    def refs(self) -> Subquery:
        """Of each place the namespace's own newest ref, else its parent's, with the columns of `refs`.

        A place whose newest ref was withdrawn counts as if it had none.
        """
        return _refs(*self._shape)

    @property
    def versions(self) -> Select[Any]:
        """The versions behind those refs, each with the namespace that shows it as `shown_by`, in their order."""
        return _versions(*self._shape)

    @property
    def parameters(self) -> dict[str, object]:
        """What `refs` and `versions` are executed with."""
        parent = str(self.namespace.parent)
        given: dict[str, object] = {"namespace": str(self.namespace), "parent": parent, "moment": self.moment}
        return given | {"assets": sorted(self.assets or ()), "partitions": sorted(self.partitions or ())}

    @property
    def _shape(self) -> tuple[bool, bool, bool, bool]:
        through = self.namespace.parent is not None and not self.own
        return through, self.moment is not None, _few(self.assets), _few(self.partitions)


def _few(names: Collection[str] | None) -> bool:
    return names is not None and len(names) <= MOST_NAMES


# Statements are built once for each shape of question: building one takes longer than most answers.
@lru_cache
def _versions(*shape: bool) -> Select[Any]:
    shown = _refs(*shape)
    query = select(versions, shown.c.namespace.label("shown_by")).join(shown, shown.c.version == versions.c.id)
    return query.order_by(versions.c.asset, versions.c.partition)


@lru_cache
def _refs(parent: bool, moment: bool, assets: bool, partitions: bool) -> Subquery:
    place = (refs.c.asset, refs.c.namespace, refs.c.partition)
    last = select(*place, func.max(refs.c.transaction).label("transaction")).where(*_among(assets, partitions))
    newest = last.where(*_visible(parent, moment)).group_by(*place).subquery()
    mine = refs.c.namespace == bindparam("namespace")
    rank = func.row_number().over(partition_by=(refs.c.asset, refs.c.partition), order_by=mine.desc())
    same = and_(*(refs.c[name] == newest.c[name] for name in newest.c.keys()))  # noqa: SIM118
    ranked = select(refs, rank.label("rank")).join(newest, same).where(refs.c.version.is_not(None)).subquery()
    return select(ranked).where(ranked.c.rank == 1).subquery()


def _among(assets: bool, partitions: bool) -> list[Condition]:
    names = {"asset": assets, "partition": partitions}
    return [refs.c[name].in_(bindparam(f"{name}s", expanding=True)) for name, wanted in names.items() if wanted]


def _visible(parent: bool, moment: bool) -> list[Condition]:
    until = [refs.c.transaction <= bindparam("moment")] if moment else []
    own = and_(refs.c.namespace == bindparam("namespace"), refs.c.transaction >= _in_force("since", 0, moment))
    if not parent:
        return [own, *until]
    theirs = and_(refs.c.namespace == bindparam("parent"), refs.c.transaction <= _in_force("pin", NEVER, moment))
    # Says again what the condition after it says, in a form that an index serves.
    either = refs.c.namespace.in_([bindparam("namespace"), bindparam("parent")])
    return [either, or_(own, theirs), *until]


def _in_force(column: str, otherwise: int, moment: bool) -> ColumnElement[int]:
    """The `pin` or `since` of a namespace, now or as of a transaction."""
    query = select(pins.c[column]).where(pins.c.namespace == bindparam("namespace"))
    if moment:
        query = query.where(pins.c.transaction <= bindparam("moment"))
    latest = query.order_by(pins.c.transaction.desc()).limit(1).scalar_subquery()
    return func.coalesce(latest, otherwise)


def batches(names: Iterable[str]) -> Iterator[list[str]]:
    """Names in portions that one statement can take."""
    rest = iter(names)
    while batch := list(islice(rest, MOST_NAMES)):
        yield batch
