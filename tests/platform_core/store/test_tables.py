"""Any table type can be written, and read as any other, with its types and values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from platform_core.catalog.values import Column
from platform_core.errors import UnsupportedValueError
from platform_core.store.parquet import describe_table, write_table
from platform_core.store.reading import read_table
from platform_core.store.split import split_table
from platform_core.store.tables import as_polars, is_table, is_table_type

FRAME = pl.DataFrame(
    {
        "whole": pl.Series([1, None, 3], dtype=pl.Int64),
        "real": pl.Series([0.5, None, float("inf")], dtype=pl.Float64),
        "größe 漢": ["a", None, ""],
        "good": [True, None, False],
        "day": [date(2013, 1, 1), None, date(2013, 12, 31)],
        "at": pl.Series([datetime(2013, 1, 1, 5, tzinfo=UTC), None, None], dtype=pl.Datetime("us", "UTC")),
    }
)
EMPTY = FRAME.clear()


# By name: what Hypothesis remembers of a module with a type of DuckDB in it would keep DuckDB from closing at the end.
TYPES = [
    *("polars.DataFrame", "polars.LazyFrame", "pyarrow.Table", "pyarrow.RecordBatchReader"),
    *("pandas.DataFrame", "duckdb.DuckDBPyRelation"),
]


def named(name: str) -> Any:
    module, _, attribute = name.partition(".")
    return getattr(import_module(module), attribute)


def of_duckdb(frame: pl.DataFrame) -> Any:
    connection = import_module("duckdb").connect()
    connection.register("frame", frame.to_arrow())
    return connection.sql("select * from frame")


def make(name: str, frame: pl.DataFrame) -> Any:
    """The frame as a value of the type."""
    makers: dict[str, Callable[[], Any]] = {
        "polars.DataFrame": lambda: frame,
        "polars.LazyFrame": frame.lazy,
        "pyarrow.Table": frame.to_arrow,
        "pyarrow.RecordBatchReader": lambda: frame.to_arrow().to_reader(),
        "pandas.DataFrame": lambda: frame.to_arrow().to_pandas(types_mapper=pd.ArrowDtype),
        "duckdb.DuckDBPyRelation": lambda: of_duckdb(frame),
    }
    return makers[name]()


def write(value: Any, folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    write_table(value, folder)
    return sorted(folder.iterdir())


def there_and_back(frame: pl.DataFrame, written_as: str, read_as: str, folder: Path) -> pl.DataFrame:
    value = read_table(write(make(written_as, frame), folder), named(read_as))
    assert isinstance(value, named(read_as))
    return as_polars(value)


@pytest.mark.parametrize("written_as", TYPES)
@pytest.mark.parametrize("read_as", [name for name in TYPES if name != "pandas.DataFrame"])
@pytest.mark.parametrize("frame", [FRAME, EMPTY], ids=["rows", "empty"])
def test_what_is_written_as_any_type_is_read_as_any_other(
    frame: pl.DataFrame, written_as: str, read_as: str, tmp_path: Path
) -> None:
    assert_frame_equal(there_and_back(frame, written_as, read_as, tmp_path), frame)


@pytest.mark.parametrize("written_as", TYPES)
def test_pandas_has_the_same_columns_and_values(written_as: str, tmp_path: Path) -> None:
    write(make(written_as, FRAME.select("real", "größe 漢", "at")), tmp_path)
    value = read_table(sorted(tmp_path.iterdir()), pd.DataFrame)
    assert list(value.columns) == ["real", "größe 漢", "at"]
    assert value["größe 漢"].isna().tolist() == [False, True, False]
    assert value["at"][0] == pd.Timestamp("2013-01-01T05:00Z")


def test_a_pandas_frame_comes_back_with_its_index_and_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"whole": [2, 1], "text": ["x", None]}, index=pd.Index(["b", "a"], name="key"))
    write(frame, tmp_path)
    pd.testing.assert_frame_equal(read_table(sorted(tmp_path.iterdir()), pd.DataFrame), frame)


@given(frame=dataframes(max_cols=4, max_size=6, excluded_dtypes=[pl.Object, pl.Null, pl.Categorical, pl.Enum]))
@settings(max_examples=40)
def test_polars_frames_of_all_types_come_back(frame: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> None:
    paths = write(frame.lazy(), tmp_path_factory.mktemp("frame"))
    assert_frame_equal(read_table(paths, pl.DataFrame), frame)


def test_several_files_are_read_as_one_table_in_their_order(tmp_path: Path) -> None:
    paths = [path for n in range(3) for path in write(pl.DataFrame({"number": [n]}), tmp_path / str(n))]
    for kind in TYPES:
        value = read_table(list(reversed(paths)), named(kind))
        assert as_polars(value)["number"].to_list() == [2, 1, 0]


def test_a_path_is_no_pattern(tmp_path: Path) -> None:
    (path,) = write(FRAME, tmp_path / "a*[0-9]?")
    for kind in (pl.DataFrame, pl.LazyFrame):
        assert as_polars(read_table([path], kind)).height == FRAME.height


@pytest.mark.parametrize("kind", ["whole", "stream", "pandas"])
def test_columns_of_one_name_are_refused(kind: str, tmp_path: Path) -> None:
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "b", "a"])
    frame = pd.DataFrame([[1, 2, 3]], columns=table.column_names)
    value = {"whole": table, "stream": table.to_reader(), "pandas": frame}[kind]
    with pytest.raises(UnsupportedValueError, match="more than one column called a; rename them"):
        write(value, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_lazy_frame_is_written_without_being_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda _self: pytest.fail("held in memory"))
    write(FRAME.lazy().filter(pl.col("whole") == 3), tmp_path)
    assert describe_table(sorted(tmp_path.iterdir()))[0] == 1


def test_a_lazy_read_reads_only_the_columns_that_are_used(tmp_path: Path) -> None:
    write(FRAME, tmp_path)
    plan = read_table(sorted(tmp_path.iterdir()), pl.LazyFrame).select("good").explain()
    assert "PROJECT 1/6 COLUMNS" in plan


def test_a_stream_is_not_held_before_it_is_read(tmp_path: Path) -> None:
    write(pl.DataFrame({"n": range(300_000)}), tmp_path)
    reader = read_table(sorted(tmp_path.iterdir()), pa.RecordBatchReader)
    assert reader.read_next_batch().num_rows < 300_000


def test_rows_and_columns_are_told_without_reading_the_table(tmp_path: Path) -> None:
    write(FRAME.select("whole", "at"), tmp_path)
    assert describe_table(sorted(tmp_path.iterdir())) == (
        3, (Column("whole", "int64"), Column("at", "timestamp[us, tz=UTC]")),
    )  # fmt: skip


@pytest.mark.parametrize("kind", [int, dict, list, str])
def test_a_type_that_is_no_table_is_refused_with_those_that_are(kind: Any, tmp_path: Path) -> None:
    write(FRAME, tmp_path)
    with pytest.raises(
        UnsupportedValueError, match=r"cannot be read as .*; annotate the parameter with polars.LazyFrame"
    ):
        read_table(sorted(tmp_path.iterdir()), kind)


@pytest.mark.parametrize("kind", TYPES)
def test_every_table_type_is_known_as_one(kind: str) -> None:
    assert is_table_type(named(kind))
    assert is_table(make(kind, FRAME))


@pytest.mark.parametrize("value", [None, [], {}, "text", 1, pl.Series, type])
def test_what_is_no_table_is_not_taken_for_one(value: Any) -> None:
    assert not is_table(value)
    assert not is_table_type(value)


def test_a_column_of_python_objects_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValueError, match="things holds Python objects"):
        write(pl.DataFrame({"things": [object()]}), tmp_path)


def test_a_pandas_column_of_mixed_types_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValueError, match="mixed"):
        write(pd.DataFrame({"mixed": ["a", 1]}), tmp_path)


MONTHS = pl.DataFrame({"month": ["b", "a", "b", "a"], "row": [1, 2, 3, 4]})


@pytest.mark.parametrize("kind", TYPES)
def test_any_table_is_cut_by_a_column_which_stays_in_the_parts(kind: str) -> None:
    parts = {key: as_polars(part) for key, part in split_table(make(kind, MONTHS), "month").items()}
    assert {key: part["row"].to_list() for key, part in parts.items()} == {"b": [1, 3], "a": [2, 4]}
    assert parts["a"].columns == ["month", "row"]


def test_parts_are_cut_by_the_text_of_a_date() -> None:
    frame = pl.DataFrame({"day": [date(2013, 1, 1), date(2013, 1, 2)]})
    assert list(split_table(frame, "day")) == ["2013-01-01", "2013-01-02"]
    assert split_table(frame, "day")["2013-01-01"].schema == frame.schema


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), st.integers(0, 9))))
def test_no_row_is_lost_or_made_by_cutting(rows: list[tuple[str, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"key": pl.String, "value": pl.Int64}, orient="row")
    parts = {key: as_polars(part) for key, part in split_table(frame, "key").items()}
    assert set(parts) == {key for key, _ in rows}
    for key, part in parts.items():
        assert part.rows() == [row for row in rows if row[0] == key]


def test_a_column_to_cut_by_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        UnsupportedValueError, match="partition_by names the column 'year', which the table does not have: month, row"
    ):
        split_table(MONTHS, "year")


def test_moments_of_duckdb_do_not_depend_on_the_zone_of_the_machine(tmp_path: Path) -> None:
    duckdb = import_module("duckdb")
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'Pacific/Auckland'")
    write(connection.sql("select timestamptz '2013-01-01 05:00:00+00' as at"), tmp_path)
    assert read_table(sorted(tmp_path.iterdir()), pl.DataFrame)["at"].to_list() == [datetime(2013, 1, 1, 5, tzinfo=UTC)]
    assert describe_table(sorted(tmp_path.iterdir()))[1] == (Column("at", "timestamp[us, tz=UTC]"),)
    relation = read_table(sorted(tmp_path.iterdir()), duckdb.DuckDBPyRelation)
    assert relation.project('hour("at")').fetchall() == [(5,)]
