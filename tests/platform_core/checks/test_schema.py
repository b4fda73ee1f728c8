"""One sentence for each broken rule, with the column, the number of rows and a few of the values."""

from typing import Any

import dagster as dg
import pandas as pd
import pandera.pandas
import pandera.polars as pa
import polars as pl
import pyarrow
import pytest

from platform_core.checks.declared import declared
from platform_core.checks.rules import EXAMPLES
from platform_core.checks.schema import check_schema, schema_specs, table_schema
from platform_core.errors import UnsupportedValueError

ASSET = dg.AssetKey(["t", "rows"])


class Rows(pa.DataFrameModel):
    id: str = pa.Field(unique=True, description="Which one.")
    size: int = pa.Field(ge=0, le=9)
    note: str = pa.Field(nullable=True)

    class Config:
        strict = True

    @pa.dataframe_check
    @classmethod
    def small_ones_have_a_note(cls, data: Any) -> pl.LazyFrame:
        frame: pl.LazyFrame = data.lazyframe
        return frame.select((pl.col("size") > 0) | pl.col("note").is_not_null())


GOOD = {"id": ["a", "b", "c"], "size": [1, 2, 0], "note": [None, "x", "y"]}


def told(frame: Any, schema: Any = Rows) -> str | None:
    """What all checks say together; None when all passed."""
    _, results = check_schema(ASSET, frame, declared(schema))
    assert all(result.passed == (result.description is None) for result in results)
    return "; ".join(result.description for result in results if result.description) or None


def test_a_table_that_holds_what_was_declared_passes() -> None:
    value, results = check_schema(ASSET, pl.DataFrame(GOOD), declared(Rows))
    assert all(result.passed for result in results)
    assert {result.asset_key for result in results} == {ASSET}
    assert [result.check_name for result in results] == [spec.name for spec in schema_specs(ASSET, declared(Rows))]
    assert results[0].metadata["rows"].value == 3
    assert value.height == 3


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"size": [1, 2, -3]}, "column size breaks greater_than_or_equal_to(0) in 1 row (-3)"),
        ({"id": ["a", "a", "b"]}, "column id breaks field_uniqueness in 2 rows (a)"),
        ({"id": ["a", None, "b"]}, "column id holds nulls in 1 row"),
        ({"size": ["1", "2", "3"]}, "column size should be Int64 but is String"),
        ({"extra": [1, 1, 1]}, "column extra is not in the schema"),
    ],
)
def test_a_broken_rule_is_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    assert sentence in str(told(pl.DataFrame({**GOOD, **changed})))


def test_a_missing_column_is_named() -> None:
    assert told(pl.DataFrame(GOOD).drop("note")) == "column note is missing"


def test_of_a_column_of_another_type_nothing_else_is_said() -> None:
    assert told(pl.DataFrame({**GOOD, "size": ["1", "2", "3"]})).count("column size") == 1  # type: ignore[union-attr]


def test_a_rule_over_several_columns_shows_the_rows_that_break_it() -> None:
    text = str(told(pl.DataFrame({**GOOD, "note": ["x", "y", None]})))
    assert "the table breaks small_ones_have_a_note in 1 row" in text
    assert '"id":"c"' in text


def test_every_rule_has_a_check_with_counts_and_sample_rows() -> None:
    frame = pl.DataFrame({**GOOD, "size": [-1, 99, 0], "id": ["a", "a", None]})
    _, results = check_schema(ASSET, frame, declared(Rows))
    failed = {result.check_name: result for result in results if not result.passed}
    rules = ["id__unique", "size__greater_than_or_equal_to", "size__less_than_or_equal_to", "small_ones_have_a_note"]
    assert list(failed) == ["schema", *rules]
    assert failed["id__unique"].metadata["failed_rows"].value == 2
    assert "| a  | 99 " in str(failed["size__less_than_or_equal_to"].metadata["sample"].value)


def test_examples_are_few_and_differ() -> None:
    frame = pl.DataFrame({"id": [str(n) for n in range(60)], "size": [-(n % 30) - 1 for n in range(60)], "note": "x"})
    examples = str(told(frame)).partition("in 60 rows (")[2].rstrip(")").split(", ")
    assert len(examples) == len(set(examples)) == EXAMPLES


def test_an_empty_table_is_told_as_one() -> None:
    assert told(pl.DataFrame(GOOD).clear()) == "the table has no rows"


def test_the_data_of_a_lazy_frame_is_looked_at() -> None:
    assert "greater_than" in str(told(pl.LazyFrame({**GOOD, "size": [1, 2, -3]})))


@pytest.mark.parametrize(
    "value", [pl.DataFrame(GOOD), pl.LazyFrame(GOOD), pyarrow.table(GOOD), pyarrow.table(GOOD).to_reader()], ids=type
)
def test_a_checked_value_keeps_its_type_and_rows(value: Any) -> None:
    kept, results = check_schema(ASSET, value, declared(Rows))
    assert all(result.passed for result in results)
    assert type(kept) is type(value)
    assert all(result.passed for result in check_schema(ASSET, kept, declared(Rows))[1])


class PandasRows(pandera.pandas.DataFrameModel):
    id: str
    size: int = pandera.pandas.Field(ge=0)


@pytest.mark.parametrize(
    ("frame", "sentences"),
    [
        ({"id": ["a"], "size": [-1]}, ["column size breaks greater_than_or_equal_to(0) in 1 row (-1)"]),
        ({"id": ["a"]}, ["column size is missing"]),
        ({"id": [None, "b"], "size": [1, -2]}, ["column id holds nulls in 1 row", "column size breaks", "(-2)"]),
        ({"id": ["a"], "size": ["x"]}, ["column size should be int64 but is"]),
    ],
)
def test_frames_of_pandas_are_told_of_in_the_same_way(frame: dict[str, Any], sentences: list[str]) -> None:
    text = str(told(pd.DataFrame(frame), PandasRows))
    assert [sentence for sentence in sentences if sentence not in text] == []


def test_a_good_frame_of_pandas_passes_as_it_is() -> None:
    frame = pd.DataFrame({"id": ["a"], "size": [1]})
    value, results = check_schema(ASSET, frame, declared(PandasRows))
    assert all(result.passed for result in results)
    assert value is frame


def test_a_schema_of_pandas_does_not_check_other_tables() -> None:
    with pytest.raises(UnsupportedValueError, match=r"t/rows returned a polars.* return a pandas.DataFrame"):
        check_schema(ASSET, pl.DataFrame(GOOD), declared(PandasRows))


def test_a_schema_is_a_blocking_check_that_says_what_it_does() -> None:
    spec, *rules = schema_specs(ASSET, declared(Rows))
    assert (spec.name, spec.asset_key, spec.blocking) == ("schema", ASSET, True)
    assert "Columns, types" in str(spec.description)
    assert all(rule.blocking and rule.description for rule in rules)


def test_a_schema_is_the_documentation_of_the_columns() -> None:
    columns = {column.name: column for column in table_schema(declared(Rows)).columns}
    assert list(columns) == ["id", "size", "note"]
    assert (columns["id"].type, columns["id"].description) == ("String", "Which one.")
    assert columns["id"].constraints.unique
    assert not columns["id"].constraints.nullable
    assert columns["size"].constraints.other == ["greater_than_or_equal_to(0)", "less_than_or_equal_to(9)"]
    assert columns["note"].constraints.nullable


class People(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    salary: int = pa.Field(ge=0, metadata={"sensitive": True})


PEOPLE = {"id": [1, 2], "salary": [-4711, 1]}


def test_columns_are_declared_sensitive_in_either_kind_of_schema() -> None:
    arrow = pyarrow.schema(
        [pyarrow.field("id", "int64"), pyarrow.field("salary", "int64", metadata={"sensitive": "true"})]
    )
    assert declared(People).sensitive == declared(arrow).sensitive == ("salary",)
    assert declared(Rows).sensitive == ()


@pytest.mark.parametrize("coerce", [False, True], ids=["by polars", "by pandera"])
def test_what_breaks_a_rule_is_told_without_sensitive_values(coerce: bool) -> None:
    schema = declared(People.to_schema().update_column("id", coerce=coerce))
    assert schema.by_pandera is coerce
    _, results = check_schema(ASSET, pl.DataFrame(PEOPLE), schema)
    failed = [item for item in results if not item.passed]
    assert [item.check_name for item in failed] == ["salary__greater_than_or_equal_to"]
    assert "column salary breaks greater_than_or_equal_to(0) in 1 row" in (failed[0].description or "")
    assert "4711" not in str(results)
