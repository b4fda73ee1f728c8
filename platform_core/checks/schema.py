"""One schema declaration: column documentation, a blocking check of the shape, and one of each rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
import polars as pl
import pyarrow as pa

from platform_core.checks.by_pandera import find_broken_by_pandera
from platform_core.checks.declared import Declared, DeclaredColumn
from platform_core.checks.pictures import markdown_table
from platform_core.checks.rules import EXAMPLES, Broken, find_broken
from platform_core.errors import UnsupportedValueError, listed
from platform_core.store.tables import as_polars, is_table

SCHEMA_CHECK = "schema"


def schema_specs(asset: dg.AssetKey, schema: Declared) -> list[dg.AssetCheckSpec]:
    """The check of the shape and one for each rule. All of them block."""
    return [
        dg.AssetCheckSpec(
            SCHEMA_CHECK,
            asset=asset,
            blocking=True,
            description="Columns, types and missing values as the schema declares them, and at least one row.",
        ),
        *(
            dg.AssetCheckSpec(rule.name, asset=asset, blocking=True, description=f"{_subject(rule)}: {rule.text}.")
            for rule in schema.rules
        ),
    ]


def _subject(rule: Any) -> str:
    return f"Column {rule.column}" if rule.column else "Rows"


def table_schema(schema: Declared) -> dg.TableSchema:
    """A schema as the column documentation that Dagster shows before the first run."""
    return dg.TableSchema([_column(column) for column in schema.columns])


def _column(column: DeclaredColumn) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=column.nullable, unique=column.unique, other=list(column.rules))
    return dg.TableColumn(column.name, column.type, description=column.description, constraints=constraints)


def check_schema(asset: dg.AssetKey, value: Any, schema: Declared) -> tuple[Any, list[dg.AssetCheckResult]]:
    """Checks a whole table. Returns the table, computed where it was lazy, and a result for each declared check.

    pandera looks only at the types of a lazy frame and lets bad data pass; hence the computing.
    """
    frame = as_frame(asset, value, schema)
    broken = find_broken_by_pandera(frame, schema) if schema.by_pandera else find_broken(frame, schema)
    if len(frame) == 0:
        broken = [*broken, Broken(None, "the table has no rows")]
    return in_type_of(value, frame), _results(asset, schema, broken, len(frame))


def _results(asset: dg.AssetKey, schema: Declared, broken: Sequence[Broken], rows: int) -> list[dg.AssetCheckResult]:
    names = [SCHEMA_CHECK, *(rule.name for rule in schema.rules)]
    found: dict[str, list[Broken]] = {name: [] for name in names}
    for item in broken:
        found[item.rule or SCHEMA_CHECK].append(item)
    return [_result(asset, name, items, rows, schema.sensitive) for name, items in found.items()]


def _result(
    asset: dg.AssetKey, name: str, broken: Sequence[Broken], rows: int, hidden: Sequence[str]
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"rows": rows}
    if broken:
        metadata["failures"] = dg.MetadataValue.md("\n".join(f"- {item.sentence}" for item in broken))
        metadata["failed_rows"] = sum(item.rows for item in broken)
    if samples := [item.sample for item in broken if item.sample is not None]:
        sample = pl.concat(samples).drop(hidden, strict=False).head(EXAMPLES)
        metadata["sample"] = dg.MetadataValue.md(markdown_table(sample))
    return dg.AssetCheckResult(
        passed=not broken,
        check_name=name,
        asset_key=asset,
        severity=dg.AssetCheckSeverity.ERROR,
        description=listed([item.sentence for item in broken], most=3) if broken else None,
        metadata=metadata,
    )


def in_type_of(value: Any, frame: Any) -> Any:
    """What was checked, in the type that the function is annotated with; lazy ones can be read once more."""
    if isinstance(value, pl.LazyFrame):
        return frame.lazy()
    return frame.to_arrow().to_reader() if isinstance(value, pa.RecordBatchReader) else value


def as_frame(asset: dg.AssetKey, value: Any, schema: Declared) -> Any:
    """The value as a frame of the library that the schema is written for."""
    if is_table(value) and schema.library == "polars":
        return as_polars(value)
    if is_table(value) and type(value).__module__.startswith(schema.library):
        return value
    what = "nothing" if value is None else f"a {type(value).__module__}.{type(value).__qualname__}"
    raise UnsupportedValueError(
        f"{asset.to_user_string()} returned {what}, which its schema cannot check; return a {schema.library}.DataFrame."
    )
