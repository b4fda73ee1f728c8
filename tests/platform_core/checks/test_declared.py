"""What is declared is read from every kind of schema, and rules have names that Dagster takes."""

import pandera.pandas
import pandera.polars as pa
import polars as pl
import pyarrow

from platform_core.checks.declared import declared


class Flights(pa.DataFrameModel):
    flight: str = pa.Field(unique=True, description="Which one.")
    delay: float = pa.Field(nullable=True, ge=-240, alias="delay in minutes")

    @pa.check("flight")
    def is_short(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.len_chars() < 9)


class Together(pa.DataFrameModel):
    a: int
    b: int

    class Config:
        unique = ("a", "b")
        strict = True


def test_columns_and_rules_of_a_pandera_model() -> None:
    schema = declared(Flights)
    assert [column.name for column in schema.columns] == ["flight", "delay in minutes"]
    assert [rule.name for rule in schema.rules] == [
        "flight__unique",
        "flight__is_short",
        "delay_in_minutes__greater_than_or_equal_to",
    ]
    assert schema.row_key == ("flight",)
    assert (schema.library, schema.by_pandera) == ("polars", False)


def test_columns_that_are_unique_together_are_the_key() -> None:
    schema = declared(Together)
    assert schema.row_key == ("a", "b")
    assert [rule.name for rule in schema.rules] == ["unique_rows"]
    assert schema.strict


def test_a_schema_that_changes_a_table_is_left_to_pandera() -> None:
    coerced = pa.DataFrameSchema({"a": pa.Column(int, coerce=True)})
    pandas = pandera.pandas.DataFrameSchema({"a": pandera.pandas.Column(int)})
    assert declared(coerced).by_pandera
    assert (declared(pandas).by_pandera, declared(pandas).library) == (True, "pandas")


def test_an_arrow_schema_declares_columns_types_and_missing_values() -> None:
    note = {"description": "Which one."}
    schema = declared(pyarrow.schema([pyarrow.field("id", pyarrow.int32(), nullable=False, metadata=note)]))
    (column,) = schema.columns
    assert column.dtype == pl.Int32
    assert (column.name, column.nullable, column.description) == ("id", False, "Which one.")
    assert schema.strict


def test_rules_of_one_name_are_told_apart() -> None:
    twice = pa.DataFrameSchema({"a": pa.Column(int, [pa.Check.ge(1), pa.Check.ge(2)])})
    assert [rule.name for rule in declared(twice).rules] == [
        "a__greater_than_or_equal_to",
        "a__greater_than_or_equal_to_2",
    ]
