"""What only pandera can judge is told in the same words."""

import pandas as pd
import pandera.pandas
import pandera.polars as pa
import polars as pl

from platform_core.checks.by_pandera import failure_cases, find_broken_by_pandera
from platform_core.checks.declared import declared


def test_rules_of_pandas_are_found_by_name() -> None:
    schema = declared(pandera.pandas.DataFrameSchema({"a": pandera.pandas.Column(int, pandera.pandas.Check.ge(0))}))
    (broken,) = find_broken_by_pandera(pd.DataFrame({"a": [1, -1, -2]}), schema)
    assert (broken.rule, broken.rows) == ("a__greater_than_or_equal_to", 2)
    assert broken.sentence == "column a breaks greater_than_or_equal_to(0) in 2 rows (-1, -2)"
    assert find_broken_by_pandera(pd.DataFrame({"a": [1]}), schema) == []


def test_a_coerced_column_is_judged_as_what_it_becomes() -> None:
    schema = declared(pa.DataFrameSchema({"a": pa.Column(int, pa.Check.ge(0), coerce=True)}))
    assert find_broken_by_pandera(pl.DataFrame({"a": ["1", "2"]}), schema) == []
    (broken,) = find_broken_by_pandera(pl.DataFrame({"a": ["1", "-2"]}), schema)
    assert broken.rule == "a__greater_than_or_equal_to"


def test_cases_are_text_whatever_they_were() -> None:
    schema = declared(pa.DataFrameSchema({"a": pa.Column(int, pa.Check.ge(0))}))
    assert set(failure_cases(pl.DataFrame({"a": [-1]}), schema).dtypes) == {pl.String}
    assert failure_cases(pl.DataFrame({"a": [1]}), schema).is_empty()
