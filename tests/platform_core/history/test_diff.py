"""What changed between two versions."""

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_core.catalog.values import ROW_KEY
from platform_core.errors import UnsupportedValueError
from platform_core.history.diff import Change, Diff, declared_key, diff_versions
from tests.platform_core.history.values import Writer, orders


def _diff(write: Writer, before: pl.DataFrame, after: pl.DataFrame, *key: str) -> Diff:
    return diff_versions(write.store, write(before), write(after), key)


def test_equal_contents_are_identical_and_differ_in_nothing(write: Writer) -> None:
    found = _diff(write, orders(), orders(), "id")
    assert found.identical
    assert (found.columns, found.statistics, found.metadata) == ((), (), ())
    assert found.rows is not None
    assert (found.rows.added, found.rows.removed, found.rows.changed) == (0, 0, 0)


def test_columns_that_came_went_and_changed_type(write: Writer) -> None:
    found = _diff(write, orders(), orders(price=[1, 2, 3], discount=[0.0, 0.0, 0.0]).drop("city"))
    assert not found.identical
    assert set(found.columns) == {
        Change("price", "double", "int64"),
        Change("city", "large_string", None),
        Change("discount", None, "double"),
    }


def test_rows_are_matched_by_key_whatever_their_order(write: Writer) -> None:
    after = pl.DataFrame({"id": [4, 3, 2], "price": [40.0, 30.0, 21.0], "city": ["Lima", "Kyiv", "Rome"]})
    rows = _diff(write, orders(), after, "id").rows
    assert rows is not None
    assert (rows.added, rows.removed, rows.changed) == (1, 1, 2)
    assert rows.by_column == {"price": 1, "city": 1}
    samples = {sample["id"]: sample for sample in rows.samples}
    assert samples[2] == {"id": 2, "price": (20.0, 21.0)}
    assert samples[3] == {"id": 3, "city": (None, "Kyiv")}


def test_statistics_say_what_moved(write: Writer) -> None:
    changed = {change.name: change for change in _diff(write, orders(), orders(price=[10.0, 20.0, 60.0])).statistics}
    assert set(changed) == {"price: mean", "price: max"}
    assert (changed["price: max"].before, changed["price: max"].after) == (30.0, 60.0)


def test_metrics_of_objects_are_compared(write: Writer) -> None:
    found = diff_versions(write.store, write({"w": 1}, roc_auc=0.71), write({"w": 2}, roc_auc=0.74, rows=9))
    assert set(found.metadata) == {Change("roc_auc", 0.71, 0.74), Change("rows", None, 9)}
    assert found.rows is None


def test_a_key_that_repeats_is_refused_with_an_example(write: Writer) -> None:
    with pytest.raises(UnsupportedValueError, match="city is no key: several rows have city=Rome"):
        _diff(write, orders(city=["Rome", "Rome", "Oslo"]), orders(), "city")


def test_a_key_that_is_no_column_is_refused_with_a_suggestion(write: Writer) -> None:
    with pytest.raises(UnsupportedValueError, match=r"no column 'prices' to match rows by\. Did you mean price"):
        _diff(write, orders(), orders(), "prices")


def test_the_declared_key_is_kept_with_the_version(write: Writer) -> None:
    declared: dict[str, Any] = {ROW_KEY: "id,city"}
    assert declared_key(write(orders(), **declared)) == ("id", "city")
    assert declared_key(write(orders())) == ()


TABLES = st.dictionaries(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 2)), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=TABLES, after=TABLES)
def test_counts_agree_with_python_dictionaries(
    write: Writer, before: dict[int, int | None], after: dict[int, int | None]
) -> None:
    def table(values: dict[int, int | None]) -> pl.DataFrame:
        schema = {"id": pl.Int64, "value": pl.Int64}
        return pl.DataFrame({"id": list(values), "value": list(values.values())}, schema=schema)

    rows = _diff(write, table(before), table(after), "id").rows
    assert rows is not None
    assert rows.added == len(after.keys() - before.keys())
    assert rows.removed == len(before.keys() - after.keys())
    assert rows.changed == sum(before[key] != after[key] for key in before.keys() & after.keys())
