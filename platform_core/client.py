"""Versions from a notebook or a script, from any process, with settings alone. Nothing but tags is written.

from platform_core import client
client.assets()
client.load("delay_predictions", partition="2013-12")
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import polars as pl
from polars.datatypes import DataTypeClass

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.searching import Search
from platform_core.catalog.values import Shown, Version
from platform_core.errors import NotFoundError
from platform_core.history.diff import Diff, declared_key, diff_versions
from platform_core.notebooks.cells import as_markdown
from platform_core.settings import current_settings
from platform_core.store.figures import html_picture, read_executed, read_figures
from platform_core.store.opening import open_store
from platform_core.store.store import Store
from platform_core.store.values import read_versions
from platform_core.tracking.cards import card_of
from platform_core.tracking.comparing import framed
from platform_core.tracking.conditions import conditions
from platform_core.tracking.sweeps import swept


def assets() -> pl.DataFrame:
    """One row for each asset that this namespace shows: partitions, rows, bytes, and when it was last written."""
    totals = [asdict(total) for total in _catalog().totals(current_settings().writes_to)]
    return pl.DataFrame(totals, schema=_TOTALS).group_by("asset", maintain_order=True).agg(
        pl.col("partitions", "rows", "bytes").sum(),
        pl.col("last_written").max(),
        pl.col("shown_by").str.join(", "),
    )  # fmt: skip


def versions(asset: str, partition: str | None = None) -> pl.DataFrame:
    """One row for each version of an asset, newest first, with provenance; its numbers and texts are columns too.

    What is named like a column of ours is in `metadata_<name>`.
    """
    catalog = _catalog()
    name = full_name(catalog, asset)
    namespace = current_settings().writes_to
    current = {item.version.id for item in catalog.resolve(namespace, name).values()}
    history = catalog.history(namespace, name, partition)
    rows = [_row(item) | {"current": item.version.id in current} for item in history]
    frame = pl.DataFrame(rows, schema=_SCHEMA | {"current": pl.Boolean})
    metadata = [{_column(name, frame): value for name, value in item.version.told.items()} for item in history]
    return pl.concat([frame, pl.DataFrame(metadata, strict=False)], how="horizontal") if any(metadata) else frame


def _column(name: str, frame: pl.DataFrame) -> str:
    return f"metadata_{name}" if name in frame.columns else name


def version(asset: str, partition: str | None = None) -> Version:
    """One version with all that is known of it: `ASSET` is the current one, `ASSET@ID` any (a part of it will do)."""
    return named_version(_catalog(), current_settings().writes_to, asset, partition)


def load(asset: str | Sequence[str], partition: str | None = None, kind: Any = None) -> Any:
    """The value of an asset: of one partition, of all of them as one table, or of any version as `ASSET@ID`.

    Several names, such as `["ASSET@ID", "ASSET@ID"]`, are one table.

    Args:
        kind: the type it is wanted in, as in an annotation, such as `pl.LazyFrame` or `pd.DataFrame`.
    """
    if not isinstance(asset, str):
        return read_versions(_store(), [version(name, partition) for name in asset], kind)
    if partition is not None or "@" in asset:
        return read_versions(_store(), [version(asset, partition)], kind)
    found = _catalog().resolve(current_settings().writes_to, full_name(_catalog(), asset))
    wanted = [found[key].version for key in sorted(found)] or [version(asset)]
    return read_versions(_store(), wanted, kind)


def diff(before: str, after: str, partition: str | None = None, key: tuple[str, ...] = ()) -> Diff:
    """What changed between two versions, `ASSET` or `ASSET@ID`. Rows are matched by `key`, or the declared one."""
    old, new = version(before, partition), version(after, partition)
    return diff_versions(_store(), old, new, key or declared_key(new))


def compare(*names: str, partition: str | None = None) -> pl.DataFrame:
    """One row for each of `ASSET@ID`, `ASSET@ALIAS` or `ASSET`: its parameters, metrics and tags are columns."""
    return framed(_catalog(), current_settings().writes_to, [version(name, partition) for name in names])


def leaderboard(
    model: str,
    by: str,
    *,
    where: Sequence[str] = (),
    smallest_first: bool = False,
    limit: int | None = None,
    **more: Any,
) -> pl.DataFrame:
    """The versions of a model ordered by a metric or parameter, the largest first, in a frame as that of `compare`.

    Args:
        where: conditions such as `auc > 0.7`, `param.depth = 4` or `tag.quality = good`, all of which must hold.
        more: what else `search` takes.
    """
    return search(model, where=where, by=by, smallest_first=smallest_first, limit=limit, **more)


def search(asset: str, *, where: Sequence[str] = (), limit: int | None = None, **more: Any) -> pl.DataFrame:
    """The versions of an asset that fit, the newest first, in a frame as that of `compare`.

    Args:
        where: conditions such as `auc > 0.7`, `param.depth = 4` or `tag.quality = good`, all of which must hold.
        more: `partition`, `author`, `commit`, `since`, `until`, `by`, `everywhere` (of all namespaces), `refused` (by
            their checks).
    """
    catalog, namespace = _catalog(), current_settings().writes_to
    wanted = Search(full_name(catalog, asset), conditions=conditions(where), limit=limit, **more)
    return framed(catalog, namespace, catalog.search(namespace, wanted))


def sweep(
    asset: str,
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    ints: Mapping[str, str] | None = None,
    floats: Mapping[str, str] | None = None,
    **options: Any,
) -> pl.DataFrame:
    """Computes an asset with many parameters, as `headrace sweep` does: one row for each trial, in the request's order.

    Args:
        grid: by parameter its values; several make a product.
        ints, floats: by parameter a range such as `2:8` or `0.01:1:log`.
        options: those of the command, such as `metric="auc"`, `minimize=True`, `random=40`, `parallel=2`, `resume=ID`,
            `set={"seed": 1}`, `input={"features": "features@7f3a9c1b2d04"}`.

    Raises:
        HeadraceError: nothing could be tried. That some trials failed is told in their rows.
    """
    given = {"grid": {name: ",".join(map(json.dumps, values)) for name, values in (grid or {}).items()}}
    given |= {"int": dict(ints or {}), "float": dict(floats or {})}
    axes = [f"--{kind}={name}={text}" for kind, axis in given.items() for name, text in axis.items()]
    more = [option for name, value in options.items() for option in _options(name, value)]
    command = [sys.executable, "-m", "platform_core.cli.main", "sweep", asset, *axes, *more, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("["):
        raise NotFoundError(done.stderr.strip().removeprefix("✗ "))
    return swept(json.loads(done.stdout))


def _options(name: str, value: Any) -> list[str]:
    """An option of a command; of a mapping, one for each of its items."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, Mapping):
        return [f"{flag}={key}={item}" for key, item in value.items()]
    return [flag if value is True else f"{flag}={value}"]


def figures(name: str, partition: str | None = None) -> "Figures":
    """The figures of a version, PNG or SVG, by name."""
    return Figures(read_figures(_store(), version(name, partition)))


def notebook(name: str, partition: str | None = None) -> "Executed":
    """The notebook that was executed for a version, with its outputs; of one that checks refused, or that failed, too.

    Raises:
        NotFoundError: the version was not computed by a notebook.
    """
    found = version(name, partition)
    executed = read_executed(_store(), found)
    if executed is None:
        raise NotFoundError(f"{found.label} was not computed by a notebook.")
    return Executed(json.loads(executed))


def card(name: str, partition: str | None = None) -> "Card":
    """The card of a model, as Markdown."""
    return Card(card_of(_catalog(), current_settings().writes_to, version(name, partition)))


def tag(name: str, partition: str | None = None, why: str = "", **tags: str | None) -> None:
    """Says things of a version in this namespace; None withdraws what it said."""
    _catalog().tag(current_settings().writes_to, version(name, partition), tags, why)


class Card(str):
    """A text that notebooks show as the page that it is."""

    def _repr_markdown_(self) -> str:
        return str(self)


class Figures(dict[str, bytes]):
    """Pictures by name, which notebooks show."""

    def _repr_html_(self) -> str:
        return "".join(
            f"<figure>{html_picture(drawn)}<figcaption>{escape(name)}</figcaption></figure>"
            for name, drawn in self.items()
        )


class Executed(dict[str, Any]):
    """A notebook of format 4, which other notebooks show as a page."""

    def _repr_markdown_(self) -> str:
        return as_markdown(self)


def _catalog() -> Catalog:
    return open_catalog(current_settings().catalog)


def _store() -> Store:
    return open_store(current_settings().store)


_TOTALS: dict[str, DataTypeClass | pl.DataType] = {
    "asset": pl.String,
    "shown_by": pl.String,
    "partitions": pl.Int64,
    "rows": pl.Int64,
    "bytes": pl.Int64,
    "last_written": pl.Datetime("us", "UTC"),
}

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
