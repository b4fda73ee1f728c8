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
    """Metadata for the versions of one asset that one step has written."""
    first = versions[0]
    metadata: dict[str, Any] = {
        "headrace/version": ", ".join(version.id for version in versions[:MOST_LINES]),
        "headrace/namespace": first.namespace,
        TRANSACTION: first.transaction,
        "dagster/uri": store.uri(first.files[0].key.rpartition("/")[0]),
        "headrace/bytes": sum(version.bytes for version in versions),
    }
    if first.rows is not None:
        metadata["dagster/row_count"] = sum(version.rows or 0 for version in versions)
        metadata["dagster/column_schema"] = column_schema(first.schema)
        metadata["headrace/head"] = dg.MetadataValue.md(head(store, first))
    if reads:
        metadata["headrace/inputs"] = dg.MetadataValue.md(_inputs(reads))
    return metadata


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
    lines = [
        f"| {read.name} | {read.asset} | {read.partition} | `{read.version}` | {read.namespace} |"
        for read in reads[:MOST_LINES]
    ]
    more = [f"\n… and {len(reads) - MOST_LINES} more"] if len(reads) > MOST_LINES else []
    return "\n".join(
        ["| input | asset | partition | version | resolved from |", "|---|---|---|---|---|", *lines, *more]
    )


def plain_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers and short texts among an asset's own metadata: what one compares and searches by later."""
    values = {name: getattr(value, "value", value) for name, value in metadata.items()}
    return {name: value for name, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_TEXT)
