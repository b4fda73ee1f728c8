"""What a materialization tells in the Dagster UI, and what of an asset's own metadata is kept with the version."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl
import xxhash

from platform_core.catalog.values import Column, InputVersion, Version
from platform_core.errors import UnsupportedValueError, listed
from platform_core.store.store import Store
from platform_core.store.values import read_versions

TRANSACTION = "headrace/transaction"
OVERTAKEN = "headrace/overtaken"
HEAD_ROWS = 5
MOST_LINES = 24
LONGEST_TEXT = 200  # longer ones are pictures and tables for the UI


def version_metadata(store: Store, versions: Sequence[Version], reads: Sequence[InputVersion]) -> dict[str, Any]:
    """Metadata for the versions of one asset that one step has written.

    Dagster shows the same metadata with each partition of a run; so of several, a table says which is which.
    """
    first = versions[0]
    metadata: dict[str, Any] = {"headrace/namespace": first.namespace, TRANSACTION: first.transaction}
    metadata |= _alone(store, first) if len(versions) == 1 else {"headrace/versions": _md(_versions(versions))}
    if first.rows is not None:
        metadata["dagster/column_schema"] = column_schema(first.schema)
        metadata["headrace/head"] = _md(head(store, first))
    if reads:
        metadata["headrace/inputs"] = _md(_inputs(reads))
    return metadata


def _alone(store: Store, version: Version) -> dict[str, Any]:
    metadata = {
        "headrace/version": version.id,
        "dagster/uri": store.uri(version.files[0].key.rpartition("/")[0]),
        "headrace/bytes": version.bytes,
    }
    return metadata if version.rows is None else {**metadata, "dagster/row_count": version.rows}


def _versions(versions: Sequence[Version]) -> str:
    rows = [(version.partition, f"`{version.id}`", version.rows, version.bytes) for version in versions]
    return _table(("partition", "version", "rows", "bytes"), rows)


def overtaken(versions: Sequence[Version]) -> str:
    """Says which versions were current for a moment only, because two runs computed the same at the same time."""
    runs = [f" of run {version.provenance.run_id[:8]}" if version.provenance.run_id else "" for version in versions]
    labels = listed(version.label + run for version, run in zip(versions, runs, strict=True))
    return (
        f"Replaces {labels}, committed while this run was going. Both are kept; this one is current because it was"
        " committed last."
    )


def common_data_version(versions: Sequence[Version]) -> str:
    """One text for what one step wrote of an asset: the hash of its content, or of the contents of its partitions."""
    if len(versions) == 1:
        return versions[0].data_version
    return xxhash.xxh3_128_hexdigest("".join(version.data_version for version in versions).encode())


def column_schema(columns: Sequence[Column]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(column.name, column.type) for column in columns])


def head(store: Store, version: Version, rows: int = HEAD_ROWS) -> str:
    """The first rows of a table as a Markdown table."""
    try:
        frame = read_versions(store, [version], pl.LazyFrame).head(rows).collect()
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise UnsupportedValueError(f"The table of {version.asset} cannot be read back ({reason}).") from error
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN", tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True,
        tbl_width_chars=4000, fmt_str_lengths=60,
    ):  # fmt: skip
        return str(frame)


def _inputs(reads: Sequence[InputVersion]) -> str:
    rows = [(read.name, read.asset, read.partition, f"`{read.version}`", read.namespace) for read in reads]
    return _table(("input", "asset", "partition", "version", "resolved from"), rows)


def _table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table of at most `MOST_LINES` rows; how many more there are is said below it."""
    shown = [titles, ["---"] * len(titles), *rows[:MOST_LINES]]
    lines = [f"| {' | '.join('' if cell is None else str(cell) for cell in row)} |" for row in shown]
    return "\n".join([*lines, *([f"\n… and {len(rows) - MOST_LINES} more"] if len(rows) > MOST_LINES else [])])


def _md(text: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(text)


def plain_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers and short texts among an asset's own metadata: what one compares and searches by later."""
    values = {name: getattr(value, "value", value) for name, value in metadata.items()}
    return {name: value for name, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_TEXT)
