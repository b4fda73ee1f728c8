"""What a materialization tells in the Dagster UI, and what of an asset's own metadata is kept with the version."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl
import xxhash

from platform_core.catalog.values import COST, SECONDS, Column, InputVersion, Version
from platform_core.errors import UnsupportedValueError, listed
from platform_core.namespaces import Namespace
from platform_core.store.figures import ENDING
from platform_core.store.store import Store
from platform_core.store.values import read_versions
from platform_core.tracking.record import plain
from platform_core.warehouse.ledger import Asked

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

TRANSACTION = "headrace/transaction"
EXECUTED_AT = "headrace/executed_notebook"
OVERTAKEN = "headrace/overtaken"
OVERTAKEN_BY = "headrace/overtaken_by"
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
    metadata |= _took(versions)
    if first.rows is not None:
        metadata["dagster/column_schema"] = column_schema(first.schema)
        metadata["headrace/head"] = _md(head(store, first))
    if reads:
        metadata["headrace/inputs"] = _md(_inputs(reads))
    return metadata


def _took(versions: Sequence[Version]) -> dict[str, float]:
    """The time of the step until they were written, and its cost, where they tell."""
    told = [name for name in (SECONDS, COST) if all(name in version.metadata for version in versions)]
    return {name: round(sum(float(version.metadata[name]) for version in versions), 6) for name in told}


def _alone(store: Store, version: Version) -> dict[str, Any]:
    metadata = {
        "headrace/version": version.id,
        "dagster/uri": store.uri(version.files[0].key.rpartition("/")[0]),
        "headrace/bytes": version.bytes,
    }
    metadata |= notebook_metadata(store, version)
    return metadata if version.rows is None else {**metadata, "dagster/row_count": version.rows}


def notebook_metadata(store: Store, version: Version) -> dict[str, Any]:
    """Where the executed notebook of a version lies: one that the UI shows, or its address in an object store."""
    keys = [file.key for file in version.figures if file.key.endswith(f".{ENDING}")]
    if not keys:
        return {}
    place = store.uri(keys[0])
    return {EXECUTED_AT: dg.MetadataValue.url(place) if "://" in place else dg.MetadataValue.notebook(place)}


def _versions(versions: Sequence[Version]) -> str:
    rows = [(version.partition, f"`{version.id}`", version.rows, version.bytes) for version in versions]
    return _table(("partition", "version", "rows", "bytes"), rows)


def raced(catalog: "Catalog", versions: Sequence[Version], instance: dg.DagsterInstance) -> dict[str, str]:
    """Sentences for what one step has just committed of one asset, when other runs wrote the same at the same time."""
    late, later = _replaced_meanwhile(catalog, versions, instance), _shown_since(catalog, versions)
    told = {OVERTAKEN: overtaken(late)} if late else {}
    return told | ({OVERTAKEN_BY: overtaken_by(later)} if later else {})


def _replaced_meanwhile(catalog: "Catalog", versions: Sequence[Version], instance: dg.DagsterInstance) -> list[Version]:
    """The versions of other runs that these replaced and that were committed after this run had started."""
    run = versions[0].provenance.run_id
    replaced = catalog.versions([version.replaces for version in versions if version.replaces])
    others = [version for version in replaced if version.provenance.run_id != run]
    record = instance.get_run_record_by_id(run) if others else None
    if record is None or record.start_time is None:
        return []
    return [version for version in others if version.created_at.timestamp() > record.start_time]


def _shown_since(catalog: "Catalog", versions: Sequence[Version]) -> list[Version]:
    """What has become current in the places of these since they were committed."""
    first, own = versions[0], {version.partition for version in versions}
    since = catalog.shown_since(Namespace.parse(first.namespace), first.asset, first.transaction)
    return list({version.partition: version for version in since if version.partition in own}.values())


def overtaken(versions: Sequence[Version]) -> str:
    """Says which versions were current for a moment only, because two runs computed the same at the same time."""
    return (
        f"Replaces {_with_runs(versions)}, committed while this run was going. Both are kept; this one is current"
        " because it was committed last."
    )


def overtaken_by(versions: Sequence[Version]) -> str:
    """Says which versions became current between the commit of this event's own and the event."""
    numbers = sorted({version.transaction for version in versions})
    return (
        f"Overtaken by {_with_runs(versions)}, committed right after this one"
        f" (transaction {listed(map(str, numbers))}). Both are kept; this one is no longer current."
    )


def _with_runs(versions: Sequence[Version]) -> str:
    runs = [f" of run {version.provenance.run_id[:8]}" if version.provenance.run_id else "" for version in versions]
    return listed(version.label + run for version, run in zip(versions, runs, strict=True))


def common_data_version(versions: Sequence[Version]) -> str:
    """One text for what one step wrote of an asset: the hash of its content, or of the contents of its partitions."""
    if len(versions) == 1:
        return versions[0].data_version
    return xxhash.xxh3_128_hexdigest("".join(version.data_version for version in versions).encode())


def column_schema(columns: Sequence[Column]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(column.name, column.type) for column in columns])


def head(store: Store, version: Version, rows: int = HEAD_ROWS) -> str:
    """The first rows of a table as a Markdown table, without sensitive columns."""
    try:
        frame = read_versions(store, [version], pl.LazyFrame).drop(version.sensitive).head(rows).collect()
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


def queries_metadata(asked: Sequence[Asked]) -> dict[str, Any]:
    """What a step asked the warehouse, with numbers that the UI draws over time; nothing when it asked nothing."""
    if not asked:
        return {}
    rows = [
        (item.title.replace("|", "\\|"), item.engine, f"{item.cost.seconds:.2f}", item.cost.bytes_scanned, item.rows)
        for item in asked
    ]
    return {
        "headrace/queries": _md(_table(("query", "engine", "seconds", "bytes scanned", "rows"), rows)),
        "headrace/query_seconds": sum(item.cost.seconds for item in asked),
        "headrace/bytes_scanned": sum(item.cost.bytes_scanned for item in asked),
    }


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
    return {name: plain(value) for name, value in values.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT and not value.startswith("![")  # a picture, which is kept as one
    return isinstance(value, bool | int | float)
