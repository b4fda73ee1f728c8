"""Values become versions and come back; a version is complete or is not there, and is never touched again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from platform_core.catalog.values import Column, Provenance
from platform_core.errors import CorruptVersionError, UnsupportedValueError
from platform_core.namespaces import PRODUCTION
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.drafts import TESS

FRAME = pl.DataFrame({"größe": [1, 2, 3], "b": ["x", "y", None]})
TARGET = Target(TESS, "flights/weather", "2013-01")


def files_below(store: LocalStore) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}


def test_a_version_says_what_it_is(store: LocalStore) -> None:
    provenance = Provenance(run_id="r", author="tess")
    version = write_version(store, FRAME, Target(TESS, "flights/weather", "2013-01", {"auc": 0.7}, provenance))
    assert (version.namespace, version.asset, version.partition) == ("user/tess", "flights/weather", "2013-01")
    assert (version.format, version.rows, version.transaction) == ("parquet", 3, 0)
    assert version.schema == (Column("größe", "int64"), Column("b", "large_string"))
    assert (version.metadata, version.provenance) == ({"auc": 0.7}, provenance)


def test_the_files_lie_below_the_namespace(store: LocalStore) -> None:
    version = write_version(store, FRAME, Target(PRODUCTION, "flights/weather", "2013-01"))
    assert [file.key for file in version.files] == [
        f"production/flights/weather/2013-01/{version.id}/part-00000.parquet"
    ]
    assert store.path(version.files[0].key).is_file()


@pytest.mark.parametrize("kind", [None, Any, pl.DataFrame])
def test_without_an_annotation_a_table_is_a_polars_frame(store: LocalStore, kind: Any) -> None:
    assert_frame_equal(read_versions(store, [write_version(store, FRAME, TARGET)], kind), FRAME)


@pytest.mark.parametrize("kind", [pl.LazyFrame, pa.Table, pa.RecordBatchReader, pd.DataFrame])
def test_the_annotation_decides_the_type_of_a_table(store: LocalStore, kind: Any) -> None:
    assert isinstance(read_versions(store, [write_version(store, FRAME, TARGET)], kind), kind)


def test_partitions_are_one_table(store: LocalStore) -> None:
    versions = [write_version(store, FRAME.head(1), TARGET), write_version(store, FRAME.tail(2), TARGET)]
    assert_frame_equal(read_versions(store, versions), FRAME)


@pytest.mark.parametrize("kind", [None, Any, dict, pl.DataFrame])
def test_an_object_comes_back_whatever_is_asked_for(store: LocalStore, kind: Any) -> None:
    version = write_version(store, {"weights": [1, 2]}, TARGET)
    assert (version.format, version.rows, version.schema) == ("json", None, ())
    assert read_versions(store, [version], kind) == {"weights": [1, 2]}


def test_objects_of_several_partitions_are_refused_with_a_way_out(store: LocalStore) -> None:
    versions = [write_version(store, {}, TARGET) for _ in range(2)]
    with pytest.raises(UnsupportedValueError, match="flights/weather is one object per partition, and 2 partitions"):
        read_versions(store, versions)


def test_a_table_that_is_asked_for_as_an_object_is_refused(store: LocalStore) -> None:
    version = write_version(store, FRAME, TARGET)
    with pytest.raises(UnsupportedValueError, match="flights/weather is a table, but is asked for as dict;"):
        read_versions(store, [version], dict)


def test_equal_values_have_one_data_version_and_each_its_own_id(store: LocalStore) -> None:
    one, other = write_version(store, FRAME, TARGET), write_version(store, FRAME, Target(PRODUCTION, "x"))
    assert one.data_version == other.data_version
    assert one.id != other.id
    assert write_version(store, FRAME.head(1), TARGET).data_version != one.data_version


@pytest.mark.parametrize("value", [lambda: 1, pl.DataFrame({"o": [object()]}), FRAME.lazy().select("not there")])
def test_a_write_that_fails_leaves_no_folder(store: LocalStore, value: Any) -> None:
    with pytest.raises((UnsupportedValueError, pl.exceptions.PolarsError)):
        write_version(store, value, TARGET)
    assert [path for path in store.root.rglob("*") if path.is_file() or path.name.startswith("2")] == [
        store.root / "user/tess/flights/weather/2013-01"
    ]
    assert list((store.root / "user/tess/flights/weather/2013-01").iterdir()) == []


def test_a_write_that_is_interrupted_leaves_no_folder(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_self: LocalStore, _key: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalStore, "seal", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_version(store, FRAME, TARGET)
    assert files_below(store) == {}


def alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [alter, Path.unlink, lambda path: os.truncate(path, 5)])
@pytest.mark.parametrize("value", [FRAME, {"an": "object"}], ids=["table", "object"])
def test_a_damaged_version_is_named_and_not_read(store: LocalStore, value: Any, damage: Callable[[Path], None]) -> None:
    version = write_version(store, value, TARGET)
    damage(store.path(version.files[0].key))
    for kind in (None, pl.LazyFrame):
        with pytest.raises(CorruptVersionError, match=rf"flights/weather\[2013-01\]@{version.id} cannot be read"):
            read_versions(store, [version], kind)


def test_no_file_of_a_version_is_touched_by_later_ones(store: LocalStore) -> None:
    write_version(store, FRAME, TARGET)
    write_version(store, [1, 2], TARGET)
    before = files_below(store)
    for path in before:
        path.chmod(0o400)
    for value in (FRAME, FRAME.lazy(), FRAME.to_arrow(), [1, 2], FRAME.head(1)):
        read_versions(store, [write_version(store, value, TARGET)])
    after = files_below(store)
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + 5


def test_a_name_that_cannot_be_stored_leaves_nothing_behind(store: LocalStore) -> None:
    with pytest.raises(UnsupportedValueError, match="cannot be stored; choose another name"):
        write_version(store, pl.DataFrame({"a": [1]}), Target(TESS, "t/a", "a\0b"))
    assert not store.root.exists() or not list(store.root.rglob("*"))
