"""One schema declaration: column documentation in the UI, and a blocking check of every value before it is kept."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import polars as pl
import pyarrow as pa

from platform_core.errors import UnsupportedValueError, listed
from platform_core.store.tables import as_polars, is_table

SCHEMA_CHECK = "schema"
EXAMPLES = 5
QUOTE = "'"


def schema_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        SCHEMA_CHECK,
        asset=asset,
        blocking=True,
        description="Columns, types and rules of the declared schema. A value that breaks it is not kept.",
    )


def table_schema(schema: Any) -> dg.TableSchema:
    """A pandera model as the column documentation that Dagster shows before the first run."""
    declared = schema.to_schema()
    return dg.TableSchema([_column(name, column) for name, column in declared.columns.items()])


def row_key(schema: Any) -> str:
    """The columns that identify a row, with commas between: the schema's unique ones. Empty when it declares none."""
    declared = schema.to_schema()
    single = [name for name, column in declared.columns.items() if column.unique]
    together = [declared.unique] if isinstance(declared.unique, str) else list(declared.unique or ())
    return ",".join(together or single[:1])


def _column(name: str, column: Any) -> dg.TableColumn:
    rules = [str(check.error or check.name) for check in column.checks]
    constraints = dg.TableColumnConstraints(nullable=column.nullable, unique=bool(column.unique), other=rules)
    return dg.TableColumn(name, str(column.dtype), description=column.description, constraints=constraints)


def check_schema(asset: dg.AssetKey, value: Any, schema: Any) -> tuple[Any, dg.AssetCheckResult]:
    """Validates a whole table in one pass. Returns the table, computed where it was lazy, and what was found.

    pandera looks only at the types of a lazy frame and lets bad data pass; hence the collecting.
    """
    frame = _as_frame(asset, value, schema)
    failures = _failures(frame, schema)
    if len(frame) == 0:
        failures = [*failures, "the table has no rows"]
    metadata: dict[str, Any] = {
        "rows": len(frame),
        "failures": dg.MetadataValue.md("\n".join(f"- {text}" for text in failures)),
    }
    result = dg.AssetCheckResult(
        passed=not failures,
        check_name=SCHEMA_CHECK,
        asset_key=asset,
        severity=dg.AssetCheckSeverity.ERROR,
        description=listed(failures, most=3) if failures else None,
        metadata=metadata if failures else {"rows": len(frame)},
    )
    return _in_type_of(value, frame), result


def _in_type_of(value: Any, frame: Any) -> Any:
    """What was checked, in the type that the function is annotated with; lazy ones can be read once more."""
    if isinstance(value, pl.LazyFrame):
        return frame.lazy()
    return frame.to_arrow().to_reader() if isinstance(value, pa.RecordBatchReader) else value


def _as_frame(asset: dg.AssetKey, value: Any, schema: Any) -> Any:
    """The value as a frame of the library that the schema is written for."""
    library = "pandas" if type(schema.to_schema()).__module__.startswith("pandera.api.pandas") else "polars"
    if is_table(value) and library == "polars":
        return as_polars(value)
    if is_table(value) and type(value).__module__.startswith(library):
        return value
    what = "nothing" if value is None else f"a {type(value).__module__}.{type(value).__qualname__}"
    raise UnsupportedValueError(
        f"{asset.to_user_string()} returned {what}, which its schema cannot check; return a {library}.DataFrame."
    )


def _failures(frame: Any, schema: Any) -> list[str]:
    import pandera.errors

    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _sentences(_as_text(errors.failure_cases), list(frame.columns))
    return []


def _as_text(cases: Any) -> pl.DataFrame:
    """The failures that pandera found; those of pandas come as columns of mixed types."""
    names = ("column", "check", "failure_case")
    if isinstance(cases, pl.DataFrame):
        return cases.select(pl.col(names).cast(pl.String))
    return pl.DataFrame({name: [None if item is None else str(item) for item in cases[name]] for name in names})


def _sentences(cases: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """One sentence per broken rule, with the number of rows and a few of the offending values."""
    of_shape = (pl.col("check") == "column_in_dataframe") | pl.col("check").str.starts_with("dtype(")
    stumbled = pl.col("failure_case").str.contains(r"^\w+Error\(").fill_null(False)
    telling = cases.filter(of_shape | ~stumbled | ~of_shape.any())  # rules stumble over what has another shape
    grouped = telling.group_by("column", "check", maintain_order=True).agg(
        pl.len().alias("rows"), pl.col("failure_case").unique(maintain_order=True).head(EXAMPLES)
    )
    return [_sentence(row, columns) for row in grouped.iter_rows(named=True)]


def _sentence(row: dict[str, Any], columns: Sequence[str]) -> str:
    examples = ", ".join("null" if case is None else str(case) for case in row["failure_case"])
    check = str(row["check"])
    if check == "column_in_dataframe":
        return f"column {examples} is missing"
    if check == "column_in_schema":
        return f"column {examples} is not in the schema"
    if check.startswith("dtype("):
        return f"column {row['column']} should be {check[6:-1].strip(QUOTE)} but is {examples}"
    if check == "not_nullable":
        return f"column {row['column']} holds nulls in {_rows(row)}"
    what = f"column {row['column']}" if row["column"] in columns else "the table"
    return f"{what} breaks {check} in {_rows(row)} ({examples})"


def _rows(row: dict[str, Any]) -> str:
    return "1 row" if row["rows"] == 1 else f"{row['rows']} rows"
