"""What a schema declares, whichever kind it is: a pandera model for polars or pandas, or an Arrow schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
import pyarrow as pa

Library = Literal["polars", "pandas"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name in the UI, how an error calls it, the column it is about (None: rows or the whole table).

    expression: true for each value that breaks it; None for a rule that only pandera can evaluate.
    check: pandera's own, or None.
    """

    name: str
    text: str
    column: str | None
    expression: pl.Expr | None = None
    check: Any = None


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """dtype: of polars, or None where the library is pandas; `type` is its name."""

    name: str
    type: str
    dtype: pl.DataType | None = None
    nullable: bool = False
    unique: bool = False
    required: bool = True
    description: str | None = None
    rules: tuple[str, ...] = ()
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """A schema. `source` is pandera's own where only pandera can do it justice (`by_pandera`)."""

    library: Library
    columns: tuple[DeclaredColumn, ...]
    rules: tuple[Rule, ...]
    unique: tuple[str, ...] = ()
    strict: bool = False
    ordered: bool = False
    source: Any = field(default=None, compare=False)
    by_pandera: bool = False

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that identify a row: those unique together, else the first that is unique alone."""
        return self.unique or tuple(column.name for column in self.columns if column.unique)[:1]

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The columns whose values are shown to nobody but those who read the table."""
        return tuple(column.name for column in self.columns if column.sensitive)


def declared(schema: Any) -> Declared:
    """What a pandera model, a pandera schema or an Arrow schema declares."""
    if isinstance(schema, pa.Schema):
        return _of_arrow(schema)
    source = schema.to_schema() if hasattr(schema, "to_schema") else schema
    library: Library = "pandas" if type(source).__module__.startswith("pandera.api.pandas") else "polars"
    columns = tuple(_column(name, column, library) for name, column in source.columns.items())
    together = (source.unique,) if isinstance(source.unique, str) else tuple(source.unique or ())
    return Declared(
        library,
        columns,
        _named(_rules(source, columns, together)),
        together,
        strict=bool(source.strict),
        ordered=bool(source.ordered),
        source=source,
        by_pandera=library == "pandas" or _changes_data(source),
    )


def _changes_data(source: Any) -> bool:
    """Whether pandera would change the table before it looks at it, or finds columns by pattern."""
    columns = source.columns.values()
    return bool(
        source.coerce
        or source.parsers
        or source.add_missing_columns
        or source.strict == "filter"
        or any(column.coerce or column.parsers or column.regex for column in columns)
    )


def _of_arrow(schema: pa.Schema) -> Declared:
    types = pl.DataFrame(schema.empty_table()).schema
    columns = tuple(
        DeclaredColumn(
            name,
            str(types[name]),
            types[name],
            item.nullable,
            description=_note(item, "description"),
            sensitive=(_note(item, "sensitive") or "").lower() == "true",
        )
        for name, item in zip(schema.names, schema, strict=True)
    )
    return Declared("polars", columns, (), strict=True)


def _note(item: pa.Field, name: str) -> str | None:
    note = (item.metadata or {}).get(name.encode())
    return note.decode() if note else None


def _column(name: str, column: Any, library: Library) -> DeclaredColumn:
    return DeclaredColumn(
        name,
        str(column.dtype),
        column.dtype.type if library == "polars" and column.dtype is not None else None,
        bool(column.nullable),
        bool(column.unique),
        bool(column.required),
        column.description,
        tuple(_text(check) for check in column.checks),
        bool((column.metadata or {}).get("sensitive")),
    )


def _rules(source: Any, columns: Sequence[DeclaredColumn], together: Sequence[str]) -> Iterator[Rule]:
    for column in columns:
        if column.unique:
            yield Rule(f"{column.name}__unique", "field_uniqueness", column.name, duplicated([column.name]))
        for check in source.columns[column.name].checks:
            name = f"{column.name}__{check.name or 'rule'}"
            yield Rule(name, _text(check), column.name, expression_of(check, column.name), check)
    if together:
        yield Rule("unique_rows", "multiple_fields_uniqueness", None, duplicated(together))
    for check in source.checks:
        yield Rule(str(check.name or "rule"), _text(check), None, None, check)


def _named(rules: Iterator[Rule]) -> tuple[Rule, ...]:
    """The rules under names that Dagster takes and that differ."""
    taken: dict[str, Rule] = {}
    for rule in rules:
        name = plain = re.sub(r"\W", "_", rule.name, flags=re.ASCII)
        number = 2
        while name in taken or name == "schema":
            name, number = f"{plain}_{number}", number + 1
        taken[name] = Rule(name, rule.text, rule.column, rule.expression, rule.check)
    return tuple(taken.values())


def _text(check: Any) -> str:
    return str(check.error or check.name)


def duplicated(columns: Sequence[str]) -> pl.Expr:
    """True for each row whose values in these columns another row has too."""
    return pl.col(columns[0]).is_duplicated() if len(columns) == 1 else pl.struct(columns).is_duplicated()


# True where a value keeps the rule, null where it is missing, by the names of pandera's built-in checks.
_KEEPS: dict[str, Callable[[pl.Expr, dict[str, Any]], pl.Expr]] = {
    "equal_to": lambda value, given: value == given["value"],
    "not_equal_to": lambda value, given: value != given["value"],
    "greater_than": lambda value, given: value > given["min_value"],
    "greater_than_or_equal_to": lambda value, given: value >= given["min_value"],
    "less_than": lambda value, given: value < given["max_value"],
    "less_than_or_equal_to": lambda value, given: value <= given["max_value"],
    "in_range": lambda value, given: _within(value, given),
    "isin": lambda value, given: value.is_in(list(given["allowed_values"])),
    "notin": lambda value, given: ~value.is_in(list(given["forbidden_values"])),
    "str_matches": lambda value, given: value.str.contains(_from_start(_pattern(given))),
    "str_contains": lambda value, given: value.str.contains(_pattern(given)),
    "str_startswith": lambda value, given: value.str.starts_with(given["string"]),
    "str_endswith": lambda value, given: value.str.ends_with(given["string"]),
    "str_length": lambda value, given: _of_length(value.str.len_chars(), given),
}


def expression_of(check: Any, column: str) -> pl.Expr | None:
    """True where a value breaks one of pandera's built-in checks; None for a check of the team's own."""
    keeps = _KEEPS.get(check.name)
    if keeps is None or not check.is_builtin_check(check.name) or not check.ignore_na or check.raise_warning:
        return None
    broken: pl.Expr = keeps(pl.col(column), dict(check.statistics)).not_()
    return broken.fill_null(False)


def _within(value: pl.Expr, given: dict[str, Any]) -> pl.Expr:
    low, high = given["min_value"], given["max_value"]
    above: pl.Expr = value >= low if given["include_min"] else value > low
    below: pl.Expr = value <= high if given["include_max"] else value < high
    return above & below


def _of_length(length: pl.Expr, given: dict[str, Any]) -> pl.Expr:
    if given.get("exact_value") is not None:
        return length.eq(given["exact_value"])
    low, high = given.get("min_value"), given.get("max_value")
    return length.is_between(0 if low is None else low, 2**31 if high is None else high)


def _pattern(given: dict[str, Any]) -> str:
    pattern = given["pattern"]
    return pattern if isinstance(pattern, str) else str(pattern.pattern)


def _from_start(pattern: str) -> str:
    """pandera's `str_matches` looks from the beginning of the text."""
    return pattern if pattern.startswith("^") else f"^(?:{pattern})"
