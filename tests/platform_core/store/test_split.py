"""A table is cut by a column: every row in its part, in order; a stream without being held."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.errors import PartitionError, UnsupportedValueError
from platform_core.store import split
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, read_versions, write_parts
from tests.platform_core.drafts import TESS
from tests.platform_core.store.test_tables import TYPES, make


def target_of(partition: str) -> Target:
    return Target(TESS, "flights/weather", partition)


def anything(_keys: Sequence[str], _complete: bool) -> None:
    return None


def parts_of(store: LocalStore, value: Any, column: str = "month") -> dict[str, pl.DataFrame]:
    versions = write_parts(store, value, column, target_of, anything)
    assert {key: version.partition for key, version in versions.items()} == {key: key for key in versions}
    return {key: read_versions(store, [version]) for key, version in versions.items()}


def folders_in(store: LocalStore) -> list[str]:
    return [key for key, _ in store.version_folders()]


MONTHS = pl.DataFrame({"month": ["b", "a", "b", "a"], "row": [1, 2, 3, 4]})


@pytest.mark.parametrize("kind", TYPES)
def test_any_table_becomes_a_version_for_each_key_in_the_order_of_their_appearance(
    kind: str, store: LocalStore
) -> None:
    parts = parts_of(store, make(kind, MONTHS))
    assert list(parts) == ["b", "a"]
    assert {key: part["row"].to_list() for key, part in parts.items()} == {"b": [1, 3], "a": [2, 4]}
    assert parts["a"].columns == ["month", "row"]


@given(
    rows=st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), st.integers(0, 9)), max_size=40),
    batch=st.integers(1, 7),
)
def test_no_row_of_a_stream_is_lost_or_moved(
    rows: list[tuple[str, int]], batch: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = pl.DataFrame(rows, schema={"month": pl.String, "value": pl.Int64}, orient="row")
    reader = pa.Table.from_batches(frame.to_arrow().to_batches()).to_reader(max_chunksize=batch) if rows else None
    if reader is None:
        return
    parts = parts_of(LocalStore(tmp_path_factory.mktemp("store")), reader)
    assert list(parts) == list(dict(rows))
    for key, part in parts.items():
        assert part.rows() == [row for row in rows if row[0] == key]


PANDAS = pd.DataFrame({"month": ["b", "a", "b"], "row": [1, 2, 3]})


@pytest.mark.parametrize(
    "frame",
    [
        PANDAS,
        PANDAS.set_index(pd.Index([10, 20, 30], name="id")),
        PANDAS.set_index(pd.Index(["x", "y", "z"])),
        PANDAS.set_index(pd.DatetimeIndex(["2013-01-01"] * 3, tz="America/New_York", name="at")),
        PANDAS.set_index("row", append=True),
        PANDAS.set_index("month", drop=False).rename_axis("key"),
        PANDAS[PANDAS["row"] > 1],
        PANDAS.assign(kind=pd.Categorical(["u", "v", "u"])),
    ],
    ids=["none", "named", "unnamed", "times", "two levels", "the keys", "filtered", "categories"],
)
def test_the_index_of_a_pandas_frame_stays_an_index(frame: pd.DataFrame, store: LocalStore) -> None:
    versions = write_parts(store, frame, "month", target_of, anything)
    own = not isinstance(frame.index, pd.RangeIndex)
    for key, version in versions.items():
        expected = frame[frame["month"] == key]
        found = read_versions(store, [version], pd.DataFrame)
        pd.testing.assert_frame_equal(found, expected if own else expected.reset_index(drop=True))
    together = read_versions(store, list(versions.values()), pd.DataFrame)
    assert list(together.columns) == list(frame.columns)
    assert together.index.names == frame.index.names


def test_a_table_without_rows_has_no_parts(store: LocalStore) -> None:
    for value in (PANDAS[:0], pa.Table.from_pandas(PANDAS)[:0], MONTHS.clear()):
        assert parts_of(store, value) == {}


def test_types_of_pyarrow_stay_as_they_are(store: LocalStore) -> None:
    kind = pa.schema([("month", pa.string()), ("code", pa.dictionary(pa.int8(), pa.string())), ("n", pa.int16())])
    table = pa.table({"month": ["a", "b", "a"], "code": ["x", "y", "x"], "n": [1, 2, 3]}, schema=kind)
    versions = write_parts(store, pa.concat_tables([table, table]), "month", target_of, anything)
    found = read_versions(store, [versions["a"]], pa.Table)
    assert found.schema.equals(kind)
    assert found["n"].to_pylist() == [1, 3, 1, 3]


def test_parts_that_do_not_fit_in_memory_are_spilled_into_one_file_that_leaves_nothing(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "HELD_BYTES", 2000)
    table = pa.table({"month": [f"k{n % 200:03}" for n in range(4000)], "row": range(4000)})
    parts = parts_of(store, table.to_reader(max_chunksize=250))
    for number, key in enumerate(parts):
        assert parts[key]["row"].to_list() == list(range(number, 4000, 200))
    files = [path for path in store.root.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"part-00000.parquet"}
    assert len(files) == 200


def test_not_one_file_for_each_part_is_open(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "HELD_BYTES", 2000)
    most, before = 0, len(os.listdir("/proc/self/fd"))
    table = pa.table({"month": [f"k{n % 100:03}" for n in range(2000)]})

    def watched() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for batch in table.to_batches(max_chunksize=50):
            most = max(most, len(os.listdir("/proc/self/fd")) - before)
            yield batch

    parts_of(store, pa.RecordBatchReader.from_batches(table.schema, watched()))
    assert most <= 4


def test_a_stream_is_refused_at_the_first_strange_key_and_leaves_nothing(store: LocalStore) -> None:
    taken = []

    def source() -> Iterator[pa.RecordBatch]:
        for key in ("a", "b", "c"):
            taken.append(key)
            yield pa.record_batch({"month": [key]})

    def only_a(keys: Sequence[str], _complete: bool) -> None:
        if list(keys) != ["a"]:
            raise PartitionError(f"strangers: {keys}")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"month": pa.string()}), source())
    with pytest.raises(PartitionError, match="strangers"):
        write_parts(store, reader, "month", target_of, only_a)
    assert taken == ["a", "b"]
    assert folders_in(store) == []


@pytest.mark.parametrize("kind", TYPES)
def test_a_missing_key_is_noticed_at_the_end_and_leaves_nothing(kind: str, store: LocalStore) -> None:
    def both_and_c(keys: Sequence[str], complete: bool) -> None:
        if complete and "c" not in keys:
            raise PartitionError("no c")

    with pytest.raises(PartitionError, match="no c"):
        write_parts(store, make(kind, MONTHS), "month", target_of, both_and_c)
    assert folders_in(store) == []


@pytest.mark.parametrize("kind", TYPES)
def test_a_column_to_cut_by_that_is_not_there_is_named(kind: str, store: LocalStore) -> None:
    with pytest.raises(UnsupportedValueError, match="'year', which the table does not have: month, row"):
        write_parts(store, make(kind, MONTHS), "year", target_of, anything)


def test_streams_and_frames_give_the_same_keys_for_dates_and_times(store: LocalStore) -> None:
    frame = pl.DataFrame({"month": pl.date_range(pl.date(2013, 1, 1), pl.date(2013, 1, 3), eager=True)})
    for changed in (
        frame,
        frame.select(pl.col("month").cast(pl.Datetime("us"))),
        frame.select(pl.lit(1.5).alias("month")),
    ):
        assert list(parts_of(store, changed.to_arrow().to_reader())) == list(parts_of(store, changed))
        assert list(parts_of(store, changed.lazy())) == list(parts_of(store, changed))
