"""Which refs a namespace shows, in SQL: the one place where read-through, pins and withdrawn refs are spelled out."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, and_, bindparam, func, or_, select

from platform_core.catalog.dialects import pairs, pairs_text, sizes, text_in
from platform_core.catalog.tables import pins, refs, versions
from platform_core.namespaces import Namespace

Condition = ColumnElement[bool]
Place = tuple[str, str]

NEVER = 2**62  # later than any transaction
MOST_NAMES = 10_000  # in one condition; databases limit how many parameters a statement has
MOST_PLACES = 100_000  # each is looked up; beyond, all are read instead


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: a namespace, now or as of a transaction; all that it shows, one asset, or some places.

    Of very many places everything is found, or all of the asset: whoever asks takes what is wanted.
    """

    namespace: Namespace
    moment: int | None = None
    asset: str | None = None
    places: Collection[Place] | None = None
    own: bool = False  # leave out what the parent shows
    run: str = ""  # whose versions are shown also after the moment

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
    def totals(self) -> Select[Any]:
        """How much they are, by asset and by who shows it: with the columns of `Total`."""
        return _totals(*self._shape)

    @property
    def parameters(self) -> dict[str, object]:
        """What `refs` and `versions` are executed with."""
        given: dict[str, object] = {"namespace": str(self.namespace), "parent": str(self.namespace.parent)}
        given |= {"moment": self.moment, "asset": self.asset, "run": self.run}
        return given | ({"places": pairs_text(set(self.places or ()))} if self._looks_up else {})

    @property
    def _looks_up(self) -> bool:
        return self.places is not None and len(self.places) <= MOST_PLACES

    @property
    def _shape(self) -> tuple[bool, bool, bool, bool, bool]:
        through = self.namespace.parent is not None and not self.own
        return through, self.moment is not None, self.asset is not None, self._looks_up, bool(self.run)


# Statements are built once for each shape of question: building one takes longer than most answers.
@lru_cache
def _versions(*shape: bool) -> Select[Any]:
    shown = _refs(*shape)
    query = select(versions, shown.c.namespace.label("shown_by")).join(shown, shown.c.version == versions.c.id)
    # By the columns of the refs, which are narrow and in this order already: sorting whole versions takes a disk.
    return query.order_by(shown.c.asset, shown.c.partition)


@lru_cache
def _totals(*shape: bool) -> Select[Any]:
    shown = _refs(*shape)
    query = select(
        shown.c.asset,
        shown.c.namespace.label("shown_by"),
        func.count().label("partitions"),
        func.sum(versions.c.rows).label("rows"),
        func.coalesce(func.sum(sizes(versions.c.files)), 0).label("bytes"),
        func.max(versions.c.created_at).label("last_written"),
    ).join(versions, versions.c.id == shown.c.version)
    return query.group_by(shown.c.asset, shown.c.namespace).order_by(shown.c.asset, shown.c.namespace)


@lru_cache
def _refs(parent: bool, moment: bool, asset: bool, places: bool, run: bool) -> Subquery:
    place = (refs.c.asset, refs.c.namespace, refs.c.partition)
    last = select(*place, func.max(refs.c.transaction).label("transaction")).where(*_visible(parent, moment, run=run))
    newest = _among(last, asset, places).group_by(*place).subquery()
    mine = refs.c.namespace == bindparam("namespace")
    rank = func.row_number().over(partition_by=(refs.c.asset, refs.c.partition), order_by=mine.desc())
    same = and_(*(refs.c[name] == newest.c[name] for name in newest.c.keys()))  # noqa: SIM118
    ranked = select(refs, rank.label("rank")).join(newest, same).where(refs.c.version.is_not(None)).subquery()
    return select(ranked).where(ranked.c.rank == 1).subquery()


def _among(query: Select[Any], asset: bool, places: bool) -> Select[Any]:
    if places:  # that name the asset, too: were it said twice, SQLite would look through all of it for each place
        wanted = pairs("places")
        return query.join(wanted, and_(refs.c.asset == wanted.c.a, refs.c.partition == wanted.c.b))
    return query.where(refs.c.asset == bindparam("asset")) if asset else query


@lru_cache
def said_of(table: Table, parent: bool) -> Subquery:
    """Of an asset what a namespace says in a table of names, `aliases` or `tags`: its own last word, else its parent's.

    To be executed with `namespace`, `parent` and `asset`.
    """
    told = table.c.version if table.name == "aliases" else table.c.value
    place = [column for column in table.primary_key if column.name not in ("namespace", "transaction")]
    age = func.row_number().over(partition_by=(*place, table.c.namespace), order_by=table.c.transaction.desc())
    rows = select(table, age.label("age"), told.is_(None).label("withdrawn"))
    rows = rows.where(table.c.asset == bindparam("asset"), *_visible(parent, False, table))
    last = rows.subquery()
    mine = last.c.namespace == bindparam("namespace")
    rank = func.row_number().over(partition_by=[last.c[column.name] for column in place], order_by=mine.desc())
    ranked = select(last, rank.label("rank")).where(last.c.age == 1, ~last.c.withdrawn).subquery()
    return select(ranked).where(ranked.c.rank == 1).subquery()


def _visible(parent: bool, moment: bool, of: Table = refs, *, run: bool = False) -> list[Condition]:
    until = [of.c.transaction <= bindparam("moment")] if moment else []
    if run:
        until = [or_(*until, _of_the_run())]
    own = and_(of.c.namespace == bindparam("namespace"), of.c.transaction >= _in_force("since", 0, moment))
    if not parent:
        return [own, *until]
    theirs = and_(of.c.namespace == bindparam("parent"), of.c.transaction <= _in_force("pin", NEVER, moment))
    # Says again what the condition after it says, in a form that an index serves.
    either = of.c.namespace.in_([bindparam("namespace"), bindparam("parent")])
    return [either, or_(own, theirs), *until]


def _of_the_run() -> Condition:
    """Whether the run wrote what a ref shows. A value to compare, looked up for the few refs after the moment: were it
    an EXISTS, PostgreSQL might rather collect the versions of the run, which no index finds.
    """
    made_by = select(text_in(versions.c.provenance, "run_id")).where(versions.c.id == refs.c.version)
    return made_by.scalar_subquery() == bindparam("run")


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
