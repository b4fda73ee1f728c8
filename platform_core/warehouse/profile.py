"""What DuckDB read for a query."""

import json
from collections.abc import Iterator
from typing import Any


def bytes_scanned(connection: Any, remotes: Any = ()) -> int:
    """Of the query that a connection ran last. Of what pyarrow reads for DuckDB: the columns that it was asked for.

    Args:
        remotes: pyarrow's datasets that the query could read.
    """
    told = json.loads(connection.get_profiling_information(format="json"))
    columns = {name for scan in _arrow_scans(told) for name in _projected(scan)}
    return int(told.get("io", {}).get("total_bytes_read", 0)) + sum(_bytes_of(dataset, columns) for dataset in remotes)


def _arrow_scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in (*node.get("operator", ()), *node.get("children", ())):
        if child.get("extra_info", {}).get("Function") == "PYTHON_ARROW_SCAN":
            yield child["extra_info"]
        yield from _arrow_scans(child)


def _projected(scan: dict[str, Any]) -> list[str]:
    columns = scan.get("Projections", [])
    return [columns] if isinstance(columns, str) else list(columns)


def _bytes_of(dataset: Any, columns: set[str]) -> int:
    """Of some columns in all files of a dataset, compressed, by what the ends of the files say."""
    footers = (fragment.metadata for fragment in dataset.get_fragments())
    groups = (footer.row_group(number) for footer in footers for number in range(footer.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in columns)
