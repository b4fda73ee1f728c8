"""What SQLite and PostgreSQL say in different words: JSON taken apart. Other statements are the same for both."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, FromClause, String, bindparam, column, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Pairs(FunctionElement[Any]):
    """A table of the pairs in a JSON text: one parameter and one plan, however many pairs there are."""

    name = "pairs"
    inherit_cache = True


@compiles(_Pairs, "sqlite")
def _pairs_in_sqlite(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    given = compiler.process(element.clauses, **options)
    return f"(SELECT json_extract(value, '$[0]') AS a, json_extract(value, '$[1]') AS b FROM json_each({given}))"


@compiles(_Pairs, "postgresql")
def _pairs_in_postgresql(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    given = compiler.process(element.clauses, **options)
    return f"(SELECT value ->> 0 AS a, value ->> 1 AS b FROM json_array_elements(CAST({given} AS JSON)))"


def pairs(parameter: str) -> FromClause:
    """A table of two columns, `a` and `b`, from a parameter that `pairs_text` makes."""
    return _Pairs(bindparam(parameter)).table_valued(column("a"), column("b"), name=parameter)


def pairs_text(given: Iterable[tuple[str, str]]) -> str:
    return json.dumps(sorted(given), ensure_ascii=False)


class _Number(FunctionElement[float]):
    """The number that an object of JSON has under a name; NULL when it has another value there, or none."""

    type = Float()
    inherit_cache = True


class _Text(FunctionElement[str]):
    """The value that an object of JSON has under a name, as text; NULL when it has none."""

    type = String()
    inherit_cache = True


@compiles(_Number, "sqlite")
def _number_in_sqlite(element: _Number, compiler: SQLCompiler, **options: Any) -> str:
    *path, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(SELECT value FROM json_each({', '.join(path)}) WHERE key = {name} AND type IN ('integer', 'real'))"


@compiles(_Text, "sqlite")
def _text_in_sqlite(element: _Text, compiler: SQLCompiler, **options: Any) -> str:
    *path, name = (compiler.process(clause, **options) for clause in element.clauses)
    text = "CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END"
    return f"(SELECT {text} FROM json_each({', '.join(path)}) WHERE key = {name})"


@compiles(_Number, "postgresql")
def _number_in_postgresql(element: _Number, compiler: SQLCompiler, **options: Any) -> str:
    *path, name = (compiler.process(clause, **options) for clause in element.clauses)
    place = " -> ".join(path)
    is_number = f"json_typeof({place} -> {name}) = 'number'"
    return f"(CASE WHEN {is_number} THEN CAST({place} ->> {name} AS DOUBLE PRECISION) END)"


@compiles(_Text, "postgresql")
def _text_in_postgresql(element: _Text, compiler: SQLCompiler, **options: Any) -> str:
    *path, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({' -> '.join(path)} ->> {name})"


class _Within(FunctionElement[Any]):
    """The name of a member of an object, as a step on the way to another one."""

    inherit_cache = True


@compiles(_Within, "sqlite")
def _within_in_sqlite(element: _Within, compiler: SQLCompiler, **options: Any) -> str:
    return f"'$.' || {compiler.process(element.clauses, **options)}"


@compiles(_Within, "postgresql")
def _within_in_postgresql(element: _Within, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


def number_in(column: ColumnElement[Any], name: str, within: str = "") -> ColumnElement[float]:
    """The number under a name of a JSON object, or of the object that this one has under `within`."""
    return _Number(column, *([_Within(literal(within))] if within else []), literal(name))


def text_in(column: ColumnElement[Any], name: str, within: str = "") -> ColumnElement[str]:
    """The same for any value, as text."""
    return _Text(column, *([_Within(literal(within))] if within else []), literal(name))


class _Sizes(FunctionElement[int]):
    """The sum of `size` over the objects of a JSON array."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Sizes, "sqlite")
def _sizes_in_sqlite(element: _Sizes, compiler: SQLCompiler, **options: Any) -> str:
    given = compiler.process(element.clauses, **options)
    return f"(SELECT sum(json_extract(value, '$.size')) FROM json_each({given}))"


@compiles(_Sizes, "postgresql")
def _sizes_in_postgresql(element: _Sizes, compiler: SQLCompiler, **options: Any) -> str:
    given = compiler.process(element.clauses, **options)
    return f"(SELECT sum(CAST(value ->> 'size' AS BIGINT)) FROM json_array_elements({given}))"


def sizes(files: ColumnElement[Any]) -> ColumnElement[int]:
    """How many bytes the files of a version take together."""
    return _Sizes(files)
