"""Schemas that only pandera itself can judge: those for pandas, and those that change a table first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from platform_core.checks.declared import Declared
from platform_core.checks.rules import EXAMPLES, Broken, in_rows

QUOTE = "'"
# What pandera says of columns as against values.
_NULLS = "not_nullable"


def find_broken_by_pandera(frame: Any, schema: Declared) -> list[Broken]:
    """What of a schema a frame of its library breaks, shape first."""
    cases = failure_cases(frame, schema)
    if cases.is_empty():
        return []
    told = [_told(row, schema, list(frame.columns)) for row in _grouped(cases).iter_rows(named=True)]
    return sorted(told, key=lambda item: item.rule is not None)


def failure_cases(frame: Any, schema: Declared) -> pl.DataFrame:
    """Every failure that pandera finds in one pass: column, check, failure_case and the row's position or label."""
    import pandera.errors

    try:
        schema.source.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _as_text(errors.failure_cases)
    return pl.DataFrame()


def _as_text(cases: Any) -> pl.DataFrame:
    """The failures that pandera found; those of pandas come as columns of mixed types."""
    names = ("column", "check", "failure_case", "index")
    if isinstance(cases, pl.DataFrame):
        return cases.select(pl.col(names).cast(pl.String))
    return pl.DataFrame({name: [None if item is None else str(item) for item in cases[name]] for name in names})


def _grouped(cases: pl.DataFrame) -> pl.DataFrame:
    """One row per broken rule, with the number of rows and a few of the offending values."""
    of_shape = (pl.col("check") == "column_in_dataframe") | pl.col("check").str.starts_with("dtype(")
    stumbled = pl.col("failure_case").str.contains(r"^\w+Error\(").fill_null(False)
    telling = cases.filter(of_shape | ~stumbled | ~of_shape.any())  # rules stumble over what has another shape
    return telling.group_by("column", "check", maintain_order=True).agg(
        pl.len().alias("rows"), pl.col("failure_case").unique(maintain_order=True).head(EXAMPLES)
    )


def _told(row: dict[str, Any], schema: Declared, columns: Sequence[str]) -> Broken:
    names = {(rule.column, rule.text): rule.name for rule in schema.rules}
    text = str(row["check"])
    rule = names.get((row["column"], text)) or names.get((None, text))
    examples = ", ".join("null" if case is None else str(case) for case in row["failure_case"])
    return Broken(rule, _sentence(row, text, examples, columns, schema.sensitive), row["rows"])


def _sentence(row: dict[str, Any], check: str, examples: str, columns: Sequence[str], sensitive: Sequence[str]) -> str:
    if check == "column_in_dataframe":
        return f"column {examples} is missing"
    if check == "column_in_schema":
        return f"column {examples} is not in the schema"
    if check.startswith("dtype("):
        return f"column {row['column']} should be {check[6:-1].strip(QUOTE)} but is {examples}"
    if check == _NULLS:
        return f"column {row['column']} holds nulls in {in_rows(row['rows'])}"
    is_column = row["column"] in columns
    what = f"column {row['column']}" if is_column else "the table"
    hidden = row["column"] in sensitive if is_column else sensitive
    return f"{what} breaks {check} in {in_rows(row['rows'])}" + ("" if hidden else f" ({examples})")
