"""What changed between two versions: schema, rows, values by key, statistics of columns, metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from platform_core.catalog.pages import as_page
from platform_core.catalog.values import COST, ROW_KEY, SECONDS, Version
from platform_core.errors import UnsupportedValueError, did_you_mean
from platform_core.store.store import Store
from platform_core.store.values import read_versions

SAMPLES = 5
AFTER = "_after"
HIDDEN = "(hidden)"  # in place of a sensitive value


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that has another value: its name, and both values (None where it was not there)."""

    name: str
    before: Any
    after: Any


Sample = tuple[Mapping[str, Any], ...]  # a few rows by column


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows matched by key: how many came, went and changed, which columns changed how often, and a few of each.

    Args:
        samples: of changed rows their key, and both values of each column that changed.
    """

    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    by_column: Mapping[str, int]
    samples: Sample
    samples_added: Sample = ()
    samples_removed: Sample = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences from one version to another; everything empty when there is none."""

    before: Version
    after: Version
    columns: tuple[Change, ...] = ()
    statistics: tuple[Change, ...] = ()
    metadata: tuple[Change, ...] = ()
    rows: RowChanges | None = None

    @property
    def identical(self) -> bool:
        return self.before.data_version == self.after.data_version

    def _repr_html_(self) -> str:
        told = {"rows": _told(self.rows)} if self.rows else {}
        for change in (*self.columns, *self.statistics, *self.metadata):
            told[change.name] = f"{change.before} → {change.after}"
        title = f"{self.before.label} → {self.after.label}"
        return as_page(title, told or {"": "The same." if self.identical else "No difference that can be told."})


def _told(rows: RowChanges) -> str:
    return f"{rows.added:,} added, {rows.removed:,} removed, {rows.changed:,} changed"


def declared_key(version: Version) -> tuple[str, ...]:
    """The columns that identify a row, as the schema declared when the version was written; empty when it did not."""
    declared = str(version.metadata.get(ROW_KEY, ""))
    return tuple(declared.split(",")) if declared else ()


def diff_versions(store: Store, before: Version, after: Version, key: Sequence[str] = ()) -> Diff:
    """Compares two versions, which may be of different assets.

    Args:
        key: the columns that identify a row; without it, rows are counted but not matched.

    Raises:
        UnsupportedValueError: a column of the key is missing, or names several rows of one version.
    """
    metadata = _changes(_said(before), _said(after))
    if before.format != "parquet" or after.format != "parquet":
        return Diff(before, after, metadata=metadata)
    tables = Tables.of(store, [before], [after])
    rows = tables.row_changes(key) if key else None
    return Diff(before, after, tables.columns, tables.statistics(), metadata, rows)


@dataclass(frozen=True, slots=True)
class Tables:
    """Two tables, each of one version or of several partitions.

    Args:
        columns: those that came, went or changed their type.
        hidden: sensitive columns; of their values no sample, statistic or picture tells.
    """

    before: pl.LazyFrame
    after: pl.LazyFrame
    columns: tuple[Change, ...]
    common: tuple[str, ...]
    hidden: frozenset[str]

    @classmethod
    def of(cls, store: Store, before: Sequence[Version], after: Sequence[Version]) -> "Tables":
        old, new = (_types(versions) for versions in (before, after))
        hidden = frozenset[str]().union(*(version.sensitive for version in (*before, *after)))
        first, second = (read_versions(store, versions, pl.LazyFrame) for versions in (before, after))
        return cls(first, second, _changes(old, new), tuple(name for name in old if name in new), hidden)

    @property
    def both(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        return self.before, self.after

    def statistics(self) -> tuple[Change, ...]:
        return _changes(*(_statistics(frame, self.common, self.hidden) for frame in self.both))

    def row_changes(self, key: Sequence[str]) -> RowChanges:
        """Rows matched by their key.

        Raises:
            UnsupportedValueError: a column of the key is missing, or names several rows of one table.
        """
        return _row_changes(self, list(key))


def _types(versions: Sequence[Version]) -> dict[str, str]:
    return {column.name: column.type for version in versions for column in version.schema}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = list(dict.fromkeys([*before, *after]))
    changed = [Change(name, before.get(name), after.get(name)) for name in names]
    return tuple(change for change in changed if change.before != change.after)


def _said(version: Version) -> dict[str, Any]:
    """Its parameters, and its metadata but for what no two computations have in common."""
    parameters = {f"param.{name}": value for name, value in version.provenance.parameters.items()}
    return parameters | {name: value for name, value in version.told.items() if name not in (SECONDS, COST)}


def _statistics(frame: pl.LazyFrame, columns: Sequence[str], hidden: frozenset[str]) -> dict[str, Any]:
    """Rows, and for each column its share of nulls, and the mean of a number or the extremes of anything else."""
    schema = frame.collect_schema()
    wanted = [pl.len().alias("rows")]
    for name in columns:
        wanted.append(pl.col(name).null_count().truediv(pl.len()).round(6).alias(f"{name}: nulls"))
        if name in hidden:
            continue
        if schema[name].is_numeric():
            wanted.append(pl.col(name).mean().alias(f"{name}: mean"))
        if schema[name].is_numeric() or schema[name].is_temporal():
            wanted += [pl.col(name).min().alias(f"{name}: min"), pl.col(name).max().alias(f"{name}: max")]
    return frame.select(wanted).collect(engine="streaming").row(0, named=True)


def _row_changes(tables: Tables, key: list[str]) -> RowChanges:
    for frame in tables.both:
        _require_key(frame, key, tables.hidden)
    values = [name for name in tables.common if name not in key]
    both = tables.before.join(tables.after, on=key, how="inner", suffix=AFTER, nulls_equal=True)
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}{AFTER}")) for name in values}
    changed = pl.any_horizontal(list(differs.values())) if differs else pl.lit(False)
    counts = both.select(changed.sum().alias("rows of both"), *(d.sum().alias(name) for name, d in differs.items()))
    by_column = counts.collect(engine="streaming").row(0, named=True)
    rows = by_column.pop("rows of both")
    came, went = _only_in(tables.after, tables.before, key), _only_in(tables.before, tables.after, key)
    return RowChanges(
        key=tuple(key),
        added=_count(came),
        removed=_count(went),
        changed=rows,
        by_column={name: count for name, count in by_column.items() if count},
        samples=_changed_rows(both.filter(changed), key, values, tables.hidden),
        samples_added=_rows(came, tables.hidden),
        samples_removed=_rows(went, tables.hidden),
    )


def _require_key(frame: pl.LazyFrame, key: list[str], hidden: frozenset[str]) -> None:
    names = frame.collect_schema().names()
    for column in key:
        if column not in names:
            raise UnsupportedValueError(f"There is no column '{column}' to match rows by.{did_you_mean(column, names)}")
    repeated = frame.group_by(key).len().filter(pl.col("len") > 1).head(1).drop("len").collect(engine="streaming")
    if len(repeated):
        values = repeated.row(0, named=True)
        first = ", ".join(f"{name}={_shown(name, value, hidden)}" for name, value in values.items())
        raise UnsupportedValueError(f"{', '.join(key)} is no key: several rows have {first}.")


def _only_in(frame: pl.LazyFrame, other: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    return frame.join(other.select(key), on=key, how="anti", nulls_equal=True)


def _count(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect(engine="streaming").item())


def _rows(frame: pl.LazyFrame, hidden: frozenset[str]) -> Sample:
    found = frame.head(SAMPLES).collect(engine="streaming").iter_rows(named=True)
    return tuple({name: _shown(name, value, hidden) for name, value in row.items()} for row in found)


def _changed_rows(changed: pl.LazyFrame, key: list[str], values: Sequence[str], hidden: frozenset[str]) -> Sample:
    """A few changed rows: their key, and before and after of the columns that changed."""
    rows = changed.head(SAMPLES).collect(engine="streaming").iter_rows(named=True)
    return tuple(
        {name: _shown(name, row[name], hidden) for name in key}
        | {
            name: tuple(_shown(name, value, hidden) for value in (row[name], row[f"{name}{AFTER}"]))
            for name in values
            if row[name] != row[f"{name}{AFTER}"]
        }
        for row in rows
    )


def _shown(name: str, value: Any, hidden: frozenset[str]) -> Any:
    return HIDDEN if name in hidden else value
