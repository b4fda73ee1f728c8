"""One schema declaration: column documentation in the UI, and a blocking check of every value before it is kept."""

from typing import Any

import dagster as dg
import polars as pl

from platform_core.errors import listed

SCHEMA_CHECK = "schema"
EXAMPLES = 5
# Failures of shape, as pandera names them: they say all there is to say without an example.
SHAPE = frozenset({"column_in_dataframe", "column_in_schema", "dtype", "WRONG_DATATYPE"})


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


def _column(name: str, column: Any) -> dg.TableColumn:
    rules = [str(check.error or check.name) for check in column.checks]
    constraints = dg.TableColumnConstraints(nullable=column.nullable, unique=bool(column.unique), other=rules)
    return dg.TableColumn(name, str(column.dtype), description=column.description, constraints=constraints)


def check_schema(asset: dg.AssetKey, value: Any, schema: Any) -> tuple[Any, dg.AssetCheckResult]:
    """Validates a whole table in one pass. Returns the table, collected where it was lazy, and what was found.

    pandera looks only at the types of a lazy frame and lets bad data pass; hence the collecting.
    """
    frame = value.collect() if isinstance(value, pl.LazyFrame) else value
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
    return (frame.lazy() if isinstance(value, pl.LazyFrame) else frame), result


def _failures(frame: Any, schema: Any) -> list[str]:
    import pandera.errors

    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _sentences(
            pl.DataFrame(errors.failure_cases) if _is_polars(frame) else pl.from_pandas(errors.failure_cases)
        )
    return []


def _is_polars(frame: Any) -> bool:
    return isinstance(frame, pl.DataFrame)


def _sentences(cases: pl.DataFrame) -> list[str]:
    """One sentence per broken rule, with the number of rows and a few of the offending values."""
    grouped = cases.group_by("column", "check", maintain_order=True).agg(
        pl.len().alias("rows"), pl.col("failure_case").cast(pl.String).unique(maintain_order=True).head(EXAMPLES)
    )
    return [_sentence(row) for row in grouped.iter_rows(named=True)]


def _sentence(row: dict[str, Any]) -> str:
    examples = ", ".join("null" if case is None else str(case) for case in row["failure_case"])
    check = str(row["check"])
    if check == "column_in_dataframe":
        return f"column {examples} is missing"
    if check == "column_in_schema":
        return f"column {examples} is not in the schema"
    if check.startswith("dtype("):
        return f"column {row['column']} should be {check.removeprefix('dtype(').removesuffix(')')} but is {examples}"
    if check == "not_nullable":
        return f"column {row['column']} holds nulls in {row['rows']} rows"
    return f"column {row['column']} breaks {check} in {row['rows']} rows ({examples})"
