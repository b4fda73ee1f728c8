"""Streams go to files piece by piece: in their order, all of their rows, and never held."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.store import layout, parquet, streams
from platform_core.store.layout import group_rows
from platform_core.store.local import LocalStore
from platform_core.store.parquet import describe_table, write_table
from platform_core.store.reading import read_table
from platform_core.store.streams import row_groups
from platform_core.store.values import Target, write_parts, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.processes import run_together

SCHEMA = pa.schema([("n", pa.int64())])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of 1,024 rows, so that a test's table makes several files."""
    monkeypatch.setattr(layout, "MOST_GROUP_ROWS", 1024)


def numbers(sizes: list[int]) -> Iterator[pa.RecordBatch]:
    start = 0
    for size in sizes:
        yield pa.record_batch([pa.array(range(start, start + size), pa.int64())], SCHEMA)
        start += size


def stream(sizes: list[int]) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(SCHEMA, numbers(sizes))


def written(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@given(st.lists(st.integers(0, 3000), max_size=8))
def test_row_groups_hold_all_rows_in_order_whatever_the_batches(sizes: list[int]) -> None:
    groups = list(row_groups(numbers(sizes), SCHEMA))
    rows = [row for group in groups for row in group["n"].to_pylist()]
    assert rows == list(range(sum(sizes)))
    assert len({group.num_rows for group in groups[:-1]}) <= 1


@pytest.mark.parametrize("batch", [100, 1024, 5000])
def test_files_are_cut_by_rows_not_by_batches(batch: int, tmp_path: Path, small: None) -> None:
    write_table(stream([batch] * (40_000 // batch)), tmp_path)
    rows = [pq.read_metadata(path).num_rows for path in written(tmp_path)]
    assert rows == [6144] * 6 + [40_000 // batch * batch - 6 * 6144]


def test_many_files_are_read_in_the_order_of_the_stream(tmp_path: Path, small: None) -> None:
    write_table(stream([700] * 100), tmp_path)
    assert len(written(tmp_path)) > 8
    for kind in (pl.DataFrame, pa.Table):
        assert (
            read_table(written(tmp_path), kind)["n"].to_list() == list(range(70_000)) if kind is pl.DataFrame else True
        )
    assert read_table(written(tmp_path), pa.Table)["n"].to_pylist() == list(range(70_000))


@pytest.mark.parametrize("sizes", [[], [0], [0, 0]])
def test_a_stream_without_rows_keeps_its_columns(sizes: list[int], tmp_path: Path) -> None:
    write_table(stream(sizes), tmp_path)
    assert describe_table(written(tmp_path))[0] == 0
    assert read_table(written(tmp_path), pa.Table).schema == SCHEMA


def test_a_stream_that_fails_in_the_middle_fails_the_write(tmp_path: Path, small: None) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from numbers([5000, 5000])
        raise RuntimeError("the source went away")

    with pytest.raises(RuntimeError, match="the source went away"):
        write_table(pa.RecordBatchReader.from_batches(SCHEMA, broken()), tmp_path)


@pytest.mark.parametrize("moment", [0, 1, 9, 30])
def test_a_file_that_cannot_be_written_fails_the_write(
    moment: int, tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))
    write = pq.ParquetWriter.write_table

    def failing(writer: pq.ParquetWriter, table: pa.Table, row_group_size: int) -> None:
        if next(calls) == moment:
            raise OSError(28, "No space left on device")
        write(writer, table, row_group_size=row_group_size)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", failing)
    with pytest.raises(OSError, match="No space left"):
        write_table(stream([1000] * 60), tmp_path)


def test_a_folder_that_is_not_there_fails_the_write(tmp_path: Path, small: None) -> None:
    with pytest.raises(OSError, match="gone"):
        write_table(stream([1000] * 60), tmp_path / "gone")


def test_the_source_is_not_read_far_ahead(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, seen = 0, []

    def source() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        for batch in numbers([1024] * 60):
            taken += 1
            yield batch

    write = pq.ParquetWriter.write_table
    done = iter(range(1000))

    def noting(writer: pq.ParquetWriter, table: pa.Table, row_group_size: int) -> None:
        seen.append(taken - next(done))
        write(writer, table, row_group_size=row_group_size)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", noting)
    write_table(pa.RecordBatchReader.from_batches(SCHEMA, source()), tmp_path)
    assert max(seen) <= streams.GROUPS_IN_MEMORY + 3


def test_equal_tables_become_equal_files(tmp_path: Path, small: None) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_table(stream([777] * 50), tmp_path / name)
    one, other = (written(tmp_path / name) for name in ("one", "other"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_a_table_in_memory_becomes_several_files_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "FILE_BYTES", 100_000)
    table = pa.table({"n": range(50_000), "text": ["x"] * 50_000})
    write_table(table, tmp_path)
    assert len(written(tmp_path)) == 7
    assert read_table(written(tmp_path), pa.Table).equals(table)


def test_wide_rows_make_smaller_groups() -> None:
    assert group_rows(8 * 1000, 1000) == layout.MOST_GROUP_ROWS
    assert group_rows(1024 * 1000, 1000) == 64 * 1024
    assert group_rows(1024 * 1000, 1000, streams.GROUP_BYTES) == 8 * 1024
    assert group_rows(10**9, 10) == 1024
    assert group_rows(0, 0) == layout.MOST_GROUP_ROWS


def test_only_columns_that_repeat_get_a_dictionary(tmp_path: Path) -> None:
    rows = 30_000
    write_table(pa.table({"unique": range(rows), "repeats": [n % 7 for n in range(rows)]}), tmp_path)
    group = pq.read_metadata(written(tmp_path)[0]).row_group(0)
    assert [group.column(index).has_dictionary_page for index in (0, 1)] == [False, True]


def test_every_column_has_statistics_and_the_codec(tmp_path: Path) -> None:
    for number, value in enumerate((pa.table({"n": [1, 2]}), pl.DataFrame({"n": [1, 2]}), stream([2]))):
        (tmp_path / str(number)).mkdir()
        write_table(value, tmp_path / str(number))
        column = pq.read_metadata(written(tmp_path / str(number))[0]).row_group(0).column(0)
        assert (column.compression, column.statistics.has_min_max) == ("LZ4", True)


def write_a_gigabyte(root: str, split: bool) -> None:
    """Ends with code 1 when the process took 300 MB at any time."""
    columns = {f"c{n}": np.random.default_rng(n).normal(size=65_536) for n in range(29)}
    batch = pa.record_batch(columns | {"key": np.arange(65_536) % 50})
    reader = pa.RecordBatchReader.from_batches(batch.schema, (batch for _ in range(66)))
    store = LocalStore(Path(root))
    if split:
        write_parts(store, reader, "key", lambda key: Target(TESS, "a", key), lambda _keys, _complete: None)
    else:
        write_version(store, reader, Target(TESS, "a"))
    os._exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 300_000)


@pytest.mark.parametrize("split", [False, True], ids=["one version", "fifty partitions"])
def test_a_gigabyte_passes_through_less_than_300_megabytes(split: bool, tmp_path: Path) -> None:
    assert run_together(write_a_gigabyte, [(str(tmp_path), split)]) == [0]
    assert sum(pq.read_metadata(path).num_rows for path in tmp_path.rglob("*.parquet")) == 66 * 65_536
