"""Our one pass finds what pandera finds, rule by rule and row by row, on whatever table comes."""

from typing import Any

import pandera.polars as pa
import polars as pl
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.checks.by_pandera import failure_cases
from platform_core.checks.declared import declared
from platform_core.checks.rules import find_broken, reasons


class Odd(pa.DataFrameModel):
    number: int = pa.Field(ge=0, lt=8, ne=3, isin=list(range(7)))
    share: float = pa.Field(nullable=True, in_range={"min_value": 0, "max_value": 1, "include_max": False})
    code: str = pa.Field(str_matches="[ab]", str_length={"min_value": 1, "max_value": 2}, notin=["aa"])
    word: str = pa.Field(nullable=True, unique=True, str_contains="x", str_startswith="x", str_endswith="x")

    class Config:
        unique = ("number", "code")

    @pa.check("number")
    def is_even(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key) % 2 == 0)

    @pa.dataframe_check
    @classmethod
    def small_numbers_have_a_share(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("number") > 2) | pl.col("share").is_not_null())


SCHEMA = declared(Odd)
texts = st.text(alphabet="abx", max_size=3)
rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-2, 9)),
        st.one_of(st.none(), st.floats(-1, 2)),
        st.one_of(st.none(), texts),
        st.one_of(st.none(), texts),
    ),
    min_size=1,
    max_size=8,
)


def frame_of(items: Any) -> pl.DataFrame:
    types = {"number": pl.Int64, "share": pl.Float64, "code": pl.String, "word": pl.String}
    return pl.DataFrame(items, schema=types, orient="row")


@given(rows)
def test_it_finds_what_pandera_finds(items: Any) -> None:
    frame = frame_of(items)
    cases = failure_cases(frame, SCHEMA)
    texts = {(rule.column, rule.text): rule.name for rule in SCHEMA.rules}
    theirs: dict[str, int] = {}
    for column, check in cases.select("column", "check").iter_rows() if cases.height else ():
        name = texts.get((column, check)) or texts.get((None, check)) or f"nulls of {column}"
        theirs[name] = theirs.get(name, 0) + 1
    ours = {item.rule or f"nulls of {item.sentence.split()[1]}": item.rows for item in find_broken(frame, SCHEMA)}
    assert ours == theirs


@given(rows)
def test_rows_without_a_reason_are_good_and_all_others_are_bad(items: Any) -> None:
    frame = frame_of(items)
    told = reasons(frame, SCHEMA)
    assert find_broken(frame.filter(told.is_null()), SCHEMA) == []
    # Doubles are a matter of several rows; every other reason holds for a row alone.
    alone = frame.filter(told.is_not_null() & ~told.fill_null("").str.contains("unique"))
    assert all(find_broken(alone[number], SCHEMA) for number in range(alone.height))


def test_a_check_that_stumbles_is_a_failure_with_its_reason() -> None:
    def stumbles(data: pa.PolarsData) -> pl.LazyFrame:
        raise ValueError("no such thing")

    schema = declared(pa.DataFrameSchema({"a": pa.Column(int, pa.Check(stumbles, name="mine"))}))
    (broken,) = find_broken(pl.DataFrame({"a": [1]}), schema)
    assert broken.sentence == "column a cannot be checked by mine: ValueError: no such thing"


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"id": [1], "name": ["a"]}, ["column id should be Int32 but is Int64"]),
        ({"name": ["a"]}, ["column id is missing"]),
        ({"id": pl.Series([None], dtype=pl.Int32), "name": [None]}, ["column id holds nulls in 1 row"]),
    ],
)
def test_a_table_is_held_to_an_arrow_schema(frame: Any, told: list[str]) -> None:
    schema = declared(pyarrow.schema([pyarrow.field("id", "int32", nullable=False), pyarrow.field("name", "string")]))
    found = find_broken(pl.DataFrame(frame, schema_overrides={"name": pl.String}), schema)
    assert [item.sentence for item in found] == told


def test_the_order_of_columns_counts_where_it_is_declared() -> None:
    schema = declared(pa.DataFrameSchema({"a": pa.Column(int), "b": pa.Column(int)}, ordered=True))
    assert find_broken(pl.DataFrame({"a": [1], "b": [1]}), schema) == []
    (broken,) = find_broken(pl.DataFrame({"b": [1], "a": [1]}), schema)
    assert "another order" in broken.sentence
