"""DuckDB's SQL to Athena's: tables become those of Glue, and parameters by name become ones in their order."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from platform_core.errors import WarehouseError
from platform_core.warehouse.glue import GlueTable
from platform_core.warehouse.query import Query

# The first that fits: a boolean is an integer too, and a moment a day.
LITERALS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    bool: lambda value: str(value).upper(),
    int: str,
    float: lambda value: f"DOUBLE '{value!r}'",
    Decimal: lambda value: f"DECIMAL '{value}'",
    datetime: lambda value: f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'",
    date: lambda value: f"DATE '{value:%Y-%m-%d}'",
    str: lambda value: "'" + value.replace("'", "''") + "'",
}


def translated(query: Query, tables: Mapping[tuple[str, ...], GlueTable]) -> tuple[str, list[Any]]:
    """A query for Athena, with the values for its `?` in their order."""
    import sqlglot
    from sqlglot import exp

    tree: Any = sqlglot.parse_one(query.sql, read="duckdb")
    _require_once(tree.named_selects)
    for node in list(tree.find_all(exp.Table)):
        parts = tuple(part.name for part in node.parts)
        if parts in tables:
            node.replace(_source(tables[parts], node.alias or parts[-1]))
    for column in tree.find_all(exp.Column):
        column.set("db", None)  # the table has an alias now
    return _bound(tree, query.parameters)


def _source(table: GlueTable, alias: str) -> Any:
    """The columns of the asset, and not the one by which Glue tells versions apart."""
    from sqlglot import exp

    columns = [exp.column(name, quoted=True) for name in table.columns]
    source = exp.table_(table.name, db=table.database, quoted=True)
    return exp.select(*columns).from_(source).subquery(exp.to_identifier(alias, quoted=True))


def _bound(tree: Any, parameters: Any) -> tuple[str, list[Any]]:
    """Places are marked before the text is made, because only that has the order in which Athena counts them."""
    from sqlglot import exp

    mark = f"p{secrets.token_hex(8)}x"
    asked: list[str | int] = []
    for node in list(tree.find_all(exp.Placeholder, bfs=False)):
        name = node.args.get("this")
        asked.append(name if name not in (None, "?") else len([item for item in asked if isinstance(item, int)]))
        node.set("this", f"{mark}{len(asked) - 1}")
    _require_all(asked, parameters)
    sql = tree.sql(dialect="athena")
    order = [int(found) for found in re.findall(rf":{mark}(\d+)", sql)]
    return re.sub(rf":{mark}\d+", "?", sql), [parameters[asked[number]] for number in order]


def _require_all(asked: Sequence[str | int], parameters: Any) -> None:
    given = set(parameters) if isinstance(parameters, Mapping) else set(range(len(parameters or ())))
    if set(asked) != given:
        wanted, had = ", ".join(map(str, asked)) or "none", ", ".join(map(str, sorted(given, key=str))) or "none"
        raise WarehouseError(f"the query has other parameters ({wanted}) than were given ({had}).")


def _require_once(columns: Sequence[str]) -> None:
    folded = [column.casefold() for column in columns]
    if twice := next((name for name in columns if name != "*" and folded.count(name.casefold()) > 1), None):
        raise WarehouseError(f"the query gives more than one column {twice}; name them with AS.")


def literals(values: Sequence[Any]) -> list[str]:
    """Values as Athena wants parameters: each the text of one literal."""
    return [_literal(value) for value in values]


def _literal(value: Any) -> str:
    for kind, text in LITERALS.items():
        if isinstance(value, kind):
            return text(value)
    raise WarehouseError(f"a parameter of type {type(value).__name__} cannot be given to Athena.")
