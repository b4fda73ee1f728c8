"""Which tables a query names, by DuckDB's own parser: nothing is looked up, and nothing runs."""

import json
from collections.abc import Iterator
from typing import Any

from platform_core.errors import WarehouseError
from platform_core.warehouse.query import TableName

ONE_SELECT = "a query must be one SELECT; what it gives is kept by returning it from an asset."


def tables_of(connection: Any, sql: str) -> list[TableName]:
    """The tables that a query names, each once, with the line of the first time. Names of its WITH are none."""
    (statement,) = _statements(connection, sql)
    found: dict[tuple[str, ...], int | None] = {}
    local: set[str] = set()
    for node in _nodes(statement):
        local.update(item["key"].casefold() for item in node.get("cte_map", {}).get("map", ()))
        if node.get("type") == "BASE_TABLE":
            parts = tuple(part for part in (node["catalog_name"], node["schema_name"], node["table_name"]) if part)
            found.setdefault(parts, line_of(sql, node.get("query_location")))
    names = (TableName(parts, line) for parts, line in found.items())
    return [name for name in names if len(name.parts) > 1 or name.text.casefold() not in local]


def _statements(connection: Any, sql: str) -> list[Any]:
    (text,) = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(text)
    if tree["error"] and tree["error_type"] == "parser":
        line = line_of(sql, int(tree["position"])) if tree.get("position") else None
        raise WarehouseError(f"{f'line {line} of the query: ' if line else ''}{tree['error_message']}.")
    if tree["error"] or len(tree["statements"]) != 1:
        raise WarehouseError(ONE_SELECT)
    return list(tree["statements"])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects in a tree, in the order of the text."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))


def line_of(sql: str, offset: int | None) -> int | None:
    """The line of a place in a query. The parser gives a place far behind the end when it knows none."""
    text = sql.encode()
    return None if offset is None or offset > len(text) else text.count(b"\n", 0, offset) + 1
