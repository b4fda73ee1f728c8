"""What a table needs to hold some versions: its columns, and the one that its partitions are cut by."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pyarrow as pa

from platform_core.catalog.values import Version


def columns_of(versions: Iterable[Version]) -> set[str]:
    return {column.name for version in versions for column in version.schema}


def examples(versions: Iterable[Version]) -> list[Version]:
    """One version for each set of columns that there is."""
    return list({version.schema: version for version in versions}.values())


def all_optional(schema: pa.Schema) -> pa.Schema:
    """The columns of a file such that other files may have missing values in them. What wrote them is left out."""
    return pa.schema([field.with_nullable(True).remove_metadata() for field in schema])


def agreed_columns(versions: Iterable[Version]) -> set[str]:
    """The columns that have one type in all versions that have them."""
    kinds: dict[str, set[str]] = {}
    for schema in {version.schema for version in versions}:
        for column in schema:
            kinds.setdefault(column.name, set()).add(column.type)
    return {name for name, found in kinds.items() if len(found) == 1}


def partition_column(footers: Mapping[str, Collection[Any]]) -> str | None:
    """The column that holds nothing but the key of its partition, in all of them; None when there is no such column.

    Args:
        footers: the ends of Parquet files by the key of their partition.
    """
    if not footers or "" in footers:
        return None
    common = [_constants(footer, key) for key, some in footers.items() for footer in some]
    fitting = set.intersection(*common) if common else set()
    return min(fitting) if fitting else None


def _constants(footer: Any, key: str) -> set[str]:
    """The columns of a file that are equal to a text in every row, as far as the statistics tell."""
    chunks = [
        footer.row_group(group).column(column)
        for group in range(footer.num_row_groups)
        for column in range(footer.num_columns)
    ]
    names = {chunk.path_in_schema for chunk in chunks}
    return names - {chunk.path_in_schema for chunk in chunks if not _is_constant(chunk.statistics, key)}


def _is_constant(statistics: Any, key: str) -> bool:
    if statistics is None or not statistics.has_min_max or statistics.null_count:
        return False
    return statistics.min == statistics.max and str(statistics.min) == key
