"""What changed between two versions: schema, rows, values by key, statistics of columns, metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from platform_core.catalog.values import ROW_KEY, Version
from platform_core.errors import UnsupportedValueError, did_you_mean
from platform_core.store.store import Store
from platform_core.store.values import read_versions

SAMPLES = 5
AFTER = "_after"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that has another value: its name, and both values (None where it was not there)."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows matched by key: how many came, went and changed, which columns changed how often, and a few that did."""

    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    by_column: Mapping[str, int]
    samples: tuple[Mapping[str, Any], ...]


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
    metadata = _changes(dict(before.metadata), dict(after.metadata))
    if before.format != "parquet" or after.format != "parquet":
        return Diff(before, after, metadata=metadata)
    frames = _Frames(*(read_versions(store, [version], pl.LazyFrame) for version in (before, after)))
    types = [{column.name: column.type for column in version.schema} for version in (before, after)]
    common = [name for name in types[0] if name in types[1]]
    return Diff(
        before,
        after,
        columns=_changes(*types),
        statistics=_changes(*(_statistics(frame, common) for frame in frames.both)),
        metadata=metadata,
        rows=_row_changes(frames, list(key), common) if key else None,
    )


@dataclass(frozen=True, slots=True)
class _Frames:
    before: pl.LazyFrame
    after: pl.LazyFrame

    @property
    def both(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        return self.before, self.after


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = list(dict.fromkeys([*before, *after]))
    changed = [Change(name, before.get(name), after.get(name)) for name in names]
    return tuple(change for change in changed if change.before != change.after)


def _statistics(frame: pl.LazyFrame, columns: Sequence[str]) -> dict[str, Any]:
    """Rows, and for each column its share of nulls, and the mean of a number or the extremes of anything else."""
    schema = frame.collect_schema()
    wanted = [pl.len().alias("rows")]
    for name in columns:
        wanted.append(pl.col(name).null_count().truediv(pl.len()).round(6).alias(f"{name}: nulls"))
        if schema[name].is_numeric():
            wanted.append(pl.col(name).mean().alias(f"{name}: mean"))
        if schema[name].is_numeric() or schema[name].is_temporal():
            wanted += [pl.col(name).min().alias(f"{name}: min"), pl.col(name).max().alias(f"{name}: max")]
    return frame.select(wanted).collect(engine="streaming").row(0, named=True)


def _row_changes(frames: _Frames, key: list[str], common: Sequence[str]) -> RowChanges:
    for frame in frames.both:
        _require_key(frame, key)
    values = [name for name in common if name not in key]
    both = frames.before.join(frames.after, on=key, how="inner", suffix=AFTER, nulls_equal=True)
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}{AFTER}")) for name in values}
    changed = pl.any_horizontal(list(differs.values())) if differs else pl.lit(False)
    counts = both.select(changed.sum().alias("rows of both"), *(d.sum().alias(name) for name, d in differs.items()))
    by_column = counts.collect(engine="streaming").row(0, named=True)
    rows = by_column.pop("rows of both")
    return RowChanges(
        key=tuple(key),
        added=_only_in(frames.after, frames.before, key),
        removed=_only_in(frames.before, frames.after, key),
        changed=rows,
        by_column={name: count for name, count in by_column.items() if count},
        samples=_samples(both.filter(changed), key, values),
    )


def _require_key(frame: pl.LazyFrame, key: list[str]) -> None:
    names = frame.collect_schema().names()
    for column in key:
        if column not in names:
            raise UnsupportedValueError(f"There is no column '{column}' to match rows by.{did_you_mean(column, names)}")
    repeated = frame.group_by(key).len().filter(pl.col("len") > 1).head(1).collect(engine="streaming")
    if len(repeated):
        first = ", ".join(f"{name}={value}" for name, value in repeated.row(0, named=True).items() if name != "len")
        raise UnsupportedValueError(f"{', '.join(key)} is no key: several rows have {first}.")


def _only_in(frame: pl.LazyFrame, other: pl.LazyFrame, key: list[str]) -> int:
    missing = frame.select(key).join(other.select(key), on=key, how="anti", nulls_equal=True)
    return int(missing.select(pl.len()).collect(engine="streaming").item())


def _samples(changed: pl.LazyFrame, key: list[str], values: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """A few changed rows: their key, and before and after of the columns that changed."""
    rows = changed.head(SAMPLES).collect(engine="streaming").iter_rows(named=True)
    return tuple(
        {name: row[name] for name in key}
        | {name: (row[name], row[f"{name}{AFTER}"]) for name in values if row[name] != row[f"{name}{AFTER}"]}
        for row in rows
    )
