"""A fingerprint of a schema changes with what a value must be like, and not with how that is described."""

from typing import Any

import pandera.polars as pa
import polars as pl
import pyarrow
import pytest

from platform_core.checks.declared import declared
from platform_core.checks.rule_fingerprint import rule_fingerprint


def model(least: int = 0, description: str = "", unique: bool = False) -> Any:
    class Rows(pa.DataFrameModel):
        size: int = pa.Field(ge=least, unique=unique, description=description)

    return Rows


def fingerprint(schema: Any) -> str:
    return rule_fingerprint(declared(schema), __package__ or "")


@pytest.mark.parametrize("given", [{"least": 1}, {"unique": True}])
def test_rules_count(given: dict[str, Any]) -> None:
    assert fingerprint(model(**given)) != fingerprint(model())


def test_descriptions_do_not_count() -> None:
    assert fingerprint(model(description="What it is.")) == fingerprint(model())


class Twice(pa.DataFrameModel):
    size: int

    @pa.check("size")
    @classmethod
    def small(cls, data: Any) -> pl.LazyFrame:
        frame: pl.LazyFrame = data.lazyframe
        return frame.select(pl.col(data.key) < 2)


class Thrice(pa.DataFrameModel):
    size: int

    @pa.check("size")
    @classmethod
    def small(cls, data: Any) -> pl.LazyFrame:
        frame: pl.LazyFrame = data.lazyframe
        return frame.select(pl.col(data.key) < 3)


def test_the_code_of_a_rule_of_the_team_counts() -> None:
    assert fingerprint(Twice) != fingerprint(Thrice)
    assert fingerprint(Twice) == fingerprint(Twice.to_schema())


def test_types_of_an_arrow_schema_count() -> None:
    kinds = [pyarrow.schema([("a", kind)]) for kind in ("int64", "int32", "int64")]
    first, second, third = map(fingerprint, kinds)
    assert first == third != second
