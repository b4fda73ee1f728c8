"""A second read maps a file of this machine; whatever happens to that file, what is read is right."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from platform_core.catalog.values import Version
from platform_core.store import cache as module
from platform_core.store.cache import Cache, current_cache
from platform_core.store.checksums import checksum
from platform_core.store.local import LocalStore
from platform_core.store.tables import as_polars
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.processes import run_together
from tests.platform_core.store.test_tables import TYPES, named

FRAME = pl.DataFrame({"n": range(1000), "text": [f"row {n}" for n in range(1000)]})


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any table is worth an entry, and an entry that was made is trusted at once."""
    monkeypatch.setattr(module, "LEAST_BYTES", 0)
    monkeypatch.setattr(module, "TICK_NS", -1)


@pytest.fixture
def cache() -> Cache:
    found = current_cache()
    assert found is not None
    return found


def write(store: LocalStore, frame: pl.DataFrame = FRAME, partition: str = "") -> Version:
    return write_version(store, frame, Target(TESS, "flights/weather", partition))


def read(store: LocalStore, *versions: Version, kind: Any = pl.DataFrame) -> Any:
    value = read_versions(store, versions, kind)
    settle()
    return value


def settle() -> None:
    for thread in threading.enumerate():
        if thread.name == "headrace-cache":
            thread.join()


def entries(cache: Cache) -> list[Path]:
    return sorted(cache.folder.glob("*.arrow")) if cache.folder.exists() else []


def lose_files(store: LocalStore, version: Version) -> None:
    """From now on only the cache has the content."""
    for file in version.files:
        store.path(file.key).write_bytes(b"")


@pytest.mark.parametrize("kind", TYPES)
def test_a_second_read_needs_no_file_of_the_version(kind: str, store: LocalStore, cache: Cache) -> None:
    version = write(store)
    for whole in (pl.DataFrame, pa.Table):
        read(store, version, kind=whole)
    lose_files(store, version)
    value = read(store, version, kind=named(kind))
    assert isinstance(value, named(kind))
    if kind == "pandas.DataFrame":
        assert value["text"].tolist() == FRAME["text"].to_list()
    else:
        assert_frame_equal(as_polars(value), FRAME)


@pytest.mark.parametrize("kind", [pl.LazyFrame, pa.RecordBatchReader])
def test_a_read_that_may_need_little_makes_no_entry(kind: Any, store: LocalStore, cache: Cache) -> None:
    as_polars(read(store, write(store), kind=kind))
    assert entries(cache) == []


@pytest.mark.parametrize("kind", [pl.DataFrame, pa.Table, pd.DataFrame])
def test_a_read_gives_the_same_from_files_and_from_the_cache(kind: Any, store: LocalStore, cache: Cache) -> None:
    version = write(store)
    first, second = read(store, version, kind=kind), read(store, version, kind=kind)
    assert len(entries(cache)) == 1
    if kind is pa.Table:
        assert first.schema.equals(second.schema, check_metadata=True)
    assert first.equals(second)


def test_columns_that_are_not_used_are_not_read(store: LocalStore, cache: Cache) -> None:
    version = write(store)
    read(store, version)
    assert "1/2 COLUMNS" in read(store, version, kind=pl.LazyFrame).select("n").explain()


def test_partitions_come_in_order_from_cache_and_files(
    store: LocalStore, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAST_BYTES", 3000)  # of the small ones in between, several are read at once
    parts = [FRAME.slice(start, size) for start, size in ((0, 500), (500, 1), (501, 2), (503, 497))]
    versions = [write(store, part, str(number)) for number, part in enumerate(parts)]
    for _ in range(2):
        for kind in TYPES:
            value = read(store, *versions, kind=named(kind))
            rows = value["n"].tolist() if kind == "pandas.DataFrame" else as_polars(value)["n"].to_list()
            assert rows == list(range(1000))
    assert len(entries(cache)) == 4


def test_equal_contents_share_an_entry(store: LocalStore, cache: Cache) -> None:
    read(store, write(store))
    read(store, write(store))
    assert len(entries(cache)) == 1


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def alter_in_secret(path: Path) -> None:
    """With the size and the time of last change as they were."""
    status = path.stat()
    time.sleep(0.02)
    alter(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


DAMAGES = [
    alter,
    alter_in_secret,
    Path.unlink,
    lambda path: os.truncate(path, 100),
    lambda path: path.write_bytes(b""),
    lambda path: path.with_suffix(".json").unlink(),
    lambda path: path.with_suffix(".json").write_text("{"),
    lambda path: path.with_suffix(".json").write_text('"x"'),
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", [pl.DataFrame, pa.Table])
def test_a_damaged_entry_heals_itself(
    kind: Any, damage: Callable[[Path], None], store: LocalStore, cache: Cache
) -> None:
    version = write(store)
    read(store, version, kind=kind)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    damage(entry)
    assert_frame_equal(as_polars(read(store, version, kind=kind)), FRAME)
    assert entry.read_bytes() == whole
    lose_files(store, version)
    assert_frame_equal(as_polars(read(store, version, kind=kind)), FRAME)


def test_an_entry_that_was_just_made_is_proven_by_its_content(
    store: LocalStore, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK_NS", 50_000_000)
    version = write(store)
    read(store, version)
    time.sleep(0.06)
    proofs: list[Path] = []

    def noted(path: Path) -> str:
        proofs.append(path)
        return checksum(path)

    monkeypatch.setattr(module, "checksum", noted)
    for _ in range(3):
        read(store, version)
    assert len(proofs) == 1


def test_what_was_read_longest_ago_goes_first(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = current_cache()
    assert cache is not None
    versions = [write(store, FRAME.with_columns(pl.col("n") + shift), str(shift)) for shift in range(4)]
    tables = [FRAME.with_columns(pl.col("n") + shift).to_arrow() for shift in range(4)]
    bounded = Cache(cache.folder, int(tables[0].nbytes * 3.5))

    def keep(number: int) -> None:
        thread = bounded.keep(versions[number], "arrow", tables[number])
        assert thread
        thread.join()
        time.sleep(0.02)

    for number in range(3):
        keep(number)
    assert bounded.get(versions[0], "arrow") is not None
    keep(3)
    kept = [bounded.get(version, "arrow") is not None for version in versions]
    assert kept == [True, False, True, True]
    assert sum(path.stat().st_size for path in entries(bounded)) <= bounded.limit


def test_a_table_that_would_push_out_most_others_is_not_kept(store: LocalStore, cache: Cache) -> None:
    table = FRAME.to_arrow()
    assert Cache(cache.folder, table.nbytes).keep(write(store), "arrow", table) is None


def test_what_a_killed_process_left_is_removed_after_an_hour(store: LocalStore, cache: Cache) -> None:
    cache.folder.mkdir(parents=True)
    for name, age in (("old.part", 7200), ("new.part", 10)):
        (cache.folder / name).write_bytes(b"x" * 100)
        os.utime(cache.folder / name, (time.time() - age,) * 2)
    table = FRAME.to_arrow()
    thread = Cache(cache.folder, table.nbytes * 2 + 150).keep(write(store), "arrow", table)
    assert thread
    thread.join()
    Cache(cache.folder, 150)._make_room(0)
    assert not (cache.folder / "old.part").exists()


def test_a_reader_keeps_what_is_removed_under_it(store: LocalStore, cache: Cache) -> None:
    version = write(store)
    read(store, version)
    frame = read(store, version)
    cache._remove(entries(cache)[0])
    assert_frame_equal(frame, FRAME)


def test_the_cache_can_be_turned_off(store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADRACE_CACHE", "off")
    assert current_cache() is None
    read(store, write(store))
    assert not (tmp_path / "home" / "cache").exists()


def test_a_folder_that_cannot_be_written_costs_the_entry_not_the_read(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").write_bytes(b"in the way")
    assert_frame_equal(read(store, write(store)), FRAME)


def read_often(root: str, home: str, versions: list[Version]) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "LEAST_BYTES", 0)
    cache, store = Cache(Path(home), 60_000), LocalStore(Path(root))
    for turn in range(40):
        version = versions[turn % len(versions)]
        table = cache.get(version, "arrow")
        expected = int(version.partition)
        if table is None:
            table = read_versions(store, [version], pa.Table)
            thread = cache.keep(version, "arrow", table)
            if thread:
                thread.join()
        assert table["n"][0].as_py() == expected


def test_many_processes_share_a_small_cache(store: LocalStore, cache: Cache) -> None:
    versions = [write(store, FRAME.with_columns(pl.col("n") + shift), str(shift)) for shift in range(6)]
    given = (str(store.root), str(cache.folder), versions)
    assert run_together(read_often, [given] * 4) == [0] * 4
    assert not list(cache.folder.glob("*.part"))


@pytest.fixture(autouse=True)
def settled() -> Iterator[None]:
    yield
    settle()


def test_duckdb_reads_from_the_map(store: LocalStore, cache: Cache) -> None:
    version = write(store)
    read(store, version, kind=pa.Table)
    lose_files(store, version)
    relation = read(store, version, kind=import_module("duckdb").DuckDBPyRelation)
    assert relation.aggregate("sum(n)").fetchall() == [(sum(range(1000)),)]
