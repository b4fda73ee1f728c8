"""What a branch did to the data: each asset that it computed, against what production shows of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from platform_core.branches.spending import UNKNOWN, Spent, spent_on
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from platform_core.checks.distributions import Shift, comparable, compare_columns
from platform_core.errors import UnsupportedValueError
from platform_core.history.diff import Change, RowChanges, Tables, declared_key, diff_versions
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.store import Store

INTERNAL = "headrace/"  # metadata that the platform keeps for itself
MOST_SHIFTS = 12  # columns whose distributions are drawn, those that moved most first
MOST_VERSIONS = 30  # of a metric's history

Verdicts = Mapping[tuple[str, str, str], bool]  # by run, asset and check whether it passed


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its name, and whether it passed; None where nobody knows."""

    name: str
    before: bool | None
    after: bool | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that versions tell of themselves: production's, oldest first, and the branch's at the end."""

    name: str
    history: tuple[float, ...]
    now: float


@dataclass(frozen=True, slots=True)
class AssetComparison:
    """One asset on a branch and in production.

    Args:
        own: how many versions the branch has of it, one for each partition that it computed.
        shown: how many production shows in the same places.
        different: how many of the branch's are not what production shows.
        changes: of schema and statistics over all partitions that differ; of metadata in the last of them.
        matched: rows matched by the declared key, over all partitions that differ; None without one.
        note: why rows were not matched although there is a key.
        shifts: columns whose values are distributed otherwise.
    """

    asset: str
    own: int
    shown: int
    different: int
    rows_before: int | None
    rows_after: int | None
    changes: tuple[Change, ...] = ()
    matched: RowChanges | None = None
    note: str = ""
    checks: tuple[Check, ...] = ()
    spent_before: Spent = UNKNOWN
    spent_after: Spent = UNKNOWN
    shifts: tuple[Shift, ...] = ()
    metrics: tuple[Metric, ...] = ()

    def as_json(self) -> dict[str, Any]:
        rows = self.matched
        return {
            "asset": self.asset,
            "versions": self.own,
            "different": self.different,
            "rows": [self.rows_before, self.rows_after],
            "changes": {change.name: [change.before, change.after] for change in self.changes},
            "matched": rows
            and {
                "key": list(rows.key), "added": rows.added, "removed": rows.removed, "changed": rows.changed,
                "by_column": dict(rows.by_column),
                "samples": {
                    "added": rows.samples_added, "removed": rows.samples_removed, "changed": rows.samples,
                },
            },
            "note": self.note,
            "checks": {check.name: [check.before, check.after] for check in self.checks},
            "seconds": [self.spent_before.seconds, self.spent_after.seconds],
            "cost": [self.spent_before.cost, self.spent_after.cost],
        }  # fmt: skip


def compare(
    catalog: Catalog, store: Store, branch: Namespace, verdicts: Verdicts | None = None
) -> list[AssetComparison]:
    """Every asset of which the branch has versions of its own, by name.

    Args:
        verdicts: what checks said in the runs of the branch and of production; without it, checks are left out.
    """
    own = sorted(catalog.own_versions(branch), key=lambda version: (version.asset, version.partition))
    return [
        _compare(catalog, store, asset, list(group), verdicts or {})
        for asset, group in groupby(own, lambda version: version.asset)
    ]


def counterparts(catalog: Catalog, own: Sequence[Version]) -> list[Version]:
    """What production shows in the places of versions."""
    places = [(version.asset, version.partition) for version in own]
    return catalog.versions([ref.version for ref in catalog.shown_refs(PRODUCTION, places) if ref.version])


def _compare(catalog: Catalog, store: Store, asset: str, own: Sequence[Version], verdicts: Verdicts) -> AssetComparison:
    shown = {version.partition: version for version in counterparts(catalog, own)}
    pairs = [(shown[version.partition], version) for version in own if version.partition in shown]
    different = [(before, after) for before, after in pairs if before.data_version != after.data_version]
    return AssetComparison(
        asset=asset,
        own=len(own),
        shown=len(pairs),
        different=len(different) + len(own) - len(pairs),
        rows_before=_rows([before for before, _ in pairs]),
        rows_after=_rows(own),
        checks=tuple(_checks([before for before, _ in pairs], own, verdicts)),
        spent_before=spent_on([before for before, _ in pairs]),
        spent_after=spent_on(own),
        metrics=tuple(_metrics(catalog, own[-1])),
        **(_differences(store, different) if different else {}),
    )


def _differences(store: Store, different: Sequence[tuple[Version, Version]]) -> dict[str, Any]:
    last_before, last_after = different[-1]
    metadata = [
        change
        for change in diff_versions(store, last_before, last_after).metadata
        if not change.name.startswith(INTERNAL)
    ]
    if {version.format for pair in different for version in pair} != {"parquet"}:
        return {"changes": tuple(metadata)}
    befores, afters = zip(*different, strict=True)
    tables = Tables.of(store, befores, afters)
    matched, note = _matched(tables, declared_key(last_after))
    return {
        "changes": (*tables.columns, *metadata, *tables.statistics()),
        "matched": matched,
        "note": note,
        "shifts": tuple(_shifts(tables)),
    }


def _matched(tables: Tables, key: Sequence[str]) -> tuple[RowChanges | None, str]:
    try:
        return (tables.row_changes(key) if key else None), ""
    except UnsupportedValueError as error:  # of other partitions or in production the key may be none
        return None, f"Rows were not matched: {error}"


def _shifts(tables: Tables) -> list[Shift]:
    """The columns whose distributions differ, those first that differ most."""
    schemas = [frame.collect_schema() for frame in tables.both]
    kinds = [comparable(schema) for schema in schemas]
    names = [n for n in tables.common if n not in tables.hidden and n in kinds[0] and kinds[0][n] == kinds[1].get(n)]
    found = compare_columns(tables.before, tables.after, names) if names else []
    moved = [shift for shift in found if shift.psi > 0 or shift.missing[0] != shift.missing[1]]
    return sorted(moved, key=lambda shift: -shift.psi)[:MOST_SHIFTS]


def _metrics(catalog: Catalog, newest: Version) -> Iterator[Metric]:
    """The numbers that the branch's last version tells of itself, with production's before it in the same place."""
    numbers = {name: value for name, value in newest.metadata.items() if _is_metric(name, value)}
    if not numbers:
        return
    shown = catalog.history(PRODUCTION, newest.asset, newest.partition, limit=MOST_VERSIONS)
    earlier = [item.version for item in reversed(shown)]
    for name, value in numbers.items():
        history = [version.metadata.get(name) for version in earlier]
        yield Metric(name, tuple(float(item) for item in history if isinstance(item, int | float)), float(value))


def _is_metric(name: str, value: Any) -> bool:
    return not name.startswith(INTERNAL) and isinstance(value, int | float) and not isinstance(value, bool)


def _checks(before: Sequence[Version], after: Sequence[Version], verdicts: Verdicts) -> Iterator[Check]:
    sides = [_verdicts(versions, verdicts) for versions in (before, after)]
    for name in sorted({*sides[0], *sides[1]}):
        yield Check(name, sides[0].get(name), sides[1].get(name))


def _verdicts(versions: Sequence[Version], verdicts: Verdicts) -> dict[str, bool]:
    """By check whether it passed in all runs that computed these versions."""
    runs = {(version.provenance.run_id, version.asset) for version in versions}
    found: dict[str, bool] = {}
    for (run, asset, check), passed in verdicts.items():
        if (run, asset) in runs:
            found[check] = found.get(check, True) and passed
    return found


def _rows(versions: Sequence[Version]) -> int | None:
    known = [version.rows for version in versions if version.rows is not None]
    return sum(known) if known else None
