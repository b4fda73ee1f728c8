"""Versions from a notebook or a script: read-only, from any process, with settings alone.

from platform_core import client
client.assets()
client.load("delay_predictions", partition="2013-12")
"""

from typing import Any

import polars as pl
from polars.datatypes import DataTypeClass

from platform_core.catalog.catalog import Catalog, open_catalog
from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.values import Shown, Version
from platform_core.history.diff import Diff, declared_key, diff_versions
from platform_core.settings import current_settings
from platform_core.store.store import Store, open_store
from platform_core.store.values import read_versions


def assets() -> pl.DataFrame:
    """One row for each asset that this namespace shows: partitions, rows, bytes, and when it was last written."""
    shown = pl.DataFrame([_row(item) for item in _catalog().current(current_settings().writes_to)], schema=_SCHEMA)
    return shown.group_by("asset").agg(
        pl.len().alias("partitions"),
        pl.col("rows").sum(),
        pl.col("bytes").sum(),
        pl.col("created_at").max().alias("last_written"),
        pl.col("shown_by").unique().sort().str.join(", "),
    ).sort("asset")  # fmt: skip


def versions(asset: str, partition: str | None = None) -> pl.DataFrame:
    """One row for each version of an asset, newest first, with provenance; its numbers and texts are columns too."""
    catalog = _catalog()
    name = full_name(catalog, asset)
    namespace = current_settings().writes_to
    current = {item.version.id for item in catalog.resolve(namespace, name).values()}
    history = catalog.history(namespace, name, partition)
    rows = [_row(item) | {"current": item.version.id in current} for item in history]
    frame = pl.DataFrame(rows, schema=_SCHEMA | {"current": pl.Boolean})
    metadata = [dict(item.version.metadata) for item in history]
    return pl.concat([frame, pl.DataFrame(metadata, strict=False)], how="horizontal") if any(metadata) else frame


def version(asset: str, partition: str | None = None) -> Version:
    """One version with all that is known of it: `ASSET` is the current one, `ASSET@ID` any (a part of it will do)."""
    return named_version(_catalog(), current_settings().writes_to, asset, partition)


def load(asset: str, partition: str | None = None, kind: Any = None) -> Any:
    """The value of an asset: of one partition, of all of them as one table, or of any version as `ASSET@ID`.

    Args:
        kind: the type it is wanted in, as in an annotation, such as `pl.LazyFrame` or `pd.DataFrame`.
    """
    if partition is not None or "@" in asset:
        return read_versions(_store(), [version(asset, partition)], kind)
    found = _catalog().resolve(current_settings().writes_to, full_name(_catalog(), asset))
    wanted = [found[key].version for key in sorted(found)] or [version(asset)]
    return read_versions(_store(), wanted, kind)


def compare(before: str, after: str, partition: str | None = None, key: tuple[str, ...] = ()) -> Diff:
    """What changed between two versions, `ASSET` or `ASSET@ID`. Rows are matched by `key`, or the declared one."""
    old, new = version(before, partition), version(after, partition)
    return diff_versions(_store(), old, new, key or declared_key(new))


def _catalog() -> Catalog:
    return open_catalog(current_settings().catalog)


def _store() -> Store:
    return open_store(current_settings().store)


_SCHEMA: dict[str, DataTypeClass | pl.DataType] = {
    "asset": pl.String,
    "partition": pl.String,
    "version": pl.String,
    "shown_by": pl.String,
    "rows": pl.Int64,
    "bytes": pl.Int64,
    "created_at": pl.Datetime("us", "UTC"),
    "transaction": pl.Int64,
    "author": pl.String,
    "run_id": pl.String,
    "code_version": pl.String,
    "git_commit": pl.String,
    "environment": pl.String,
    "data_version": pl.String,
}


def _row(item: Shown) -> dict[str, Any]:
    known = item.version
    origin = known.provenance
    values = (
        known.asset, known.partition, known.id, item.shown_by, known.rows, known.bytes, known.created_at,
        known.transaction, origin.author, origin.run_id, origin.code_version, origin.git_commit, origin.environment,
        known.data_version,
    )  # fmt: skip
    return dict(zip(_SCHEMA, values, strict=True))
