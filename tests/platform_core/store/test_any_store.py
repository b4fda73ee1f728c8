"""What holds for every kind of store: a folder of this machine and a bucket in S3."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from platform_core.catalog.values import Version
from platform_core.errors import CorruptVersionError, UnsupportedValueError
from platform_core.namespaces import PRODUCTION
from platform_core.store.local import LocalStore
from platform_core.store.s3 import S3Store
from platform_core.store.store import Store
from platform_core.store.tables import as_polars
from platform_core.store.values import Target, adopt_version, read_versions, write_parts, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.store.test_tables import FRAME, TYPES, make, named

TARGET = Target(TESS, "flights/weather", "2013-01")


def put(store: Store, key: str, content: bytes | None) -> None:
    """Changes a file of the store behind its back; nothing removes it."""
    if isinstance(store, LocalStore):
        if content is None:
            store.path(key).unlink()
        else:
            store.path(key).write_bytes(content)
    elif isinstance(store, S3Store):
        import obstore

        if content is None:
            obstore.delete(store._client, key)
        else:
            obstore.put(store._client, key, content)


def content_of(store: Store, version: Version) -> bytes:
    if isinstance(store, LocalStore):
        return store.path(version.files[0].key).read_bytes()
    assert isinstance(store, S3Store)
    import obstore

    return bytes(obstore.get(store._client, version.files[0].key).bytes())


def folders(store: Store) -> list[str]:
    return [key for key, _ in store.version_folders()]


@pytest.mark.parametrize("written_as", TYPES)
@pytest.mark.parametrize("read_as", [name for name in TYPES if name != "pandas.DataFrame"])
def test_what_is_written_as_any_type_is_read_as_any_other(written_as: str, read_as: str, any_store: Store) -> None:
    version = write_version(any_store, make(written_as, FRAME), TARGET)
    value = read_versions(any_store, [version], named(read_as))
    assert isinstance(value, named(read_as))
    assert_frame_equal(as_polars(value), FRAME)


@pytest.mark.parametrize("kind", TYPES)
def test_parts_are_read_as_one_table(kind: str, any_store: Store) -> None:
    months = pl.DataFrame({"month": ["b", "a", "b"], "row": [1, 2, 3]})
    versions = write_parts(
        any_store, make(kind, months), "month", lambda key: Target(TESS, "x", key), lambda _keys, _complete: None
    )
    for wanted in (pl.DataFrame, pl.LazyFrame, pa.Table):
        frame = as_polars(read_versions(any_store, [versions["a"], versions["b"]], wanted))
        assert frame.rows() == [("a", 2), ("b", 1), ("b", 3)]


@pytest.mark.parametrize("value", [{"weights": [1, 2]}, "text", b"bytes", [1.5, None]])
def test_objects_come_back(value: Any, any_store: Store) -> None:
    assert read_versions(any_store, [write_version(any_store, value, TARGET)]) == value


def test_files_have_size_and_checksum_and_lie_below_the_namespace(any_store: Store) -> None:
    version = write_version(any_store, FRAME, TARGET)
    (file,) = version.files
    assert file.key == f"user/tess/flights/weather/2013-01/{version.id}/part-00000.parquet"
    assert file.size == len(content_of(any_store, version))
    assert any_store.uri(file.key).endswith(file.key)


def test_the_folders_of_versions_are_listed(any_store: Store) -> None:
    versions = [write_version(any_store, value, TARGET) for value in (FRAME, [1])]
    expected = {version.files[0].key.rpartition("/")[0] for version in versions}
    assert set(folders(any_store)) == expected
    newest = max(written for _, written in any_store.version_folders())
    assert abs((newest - versions[-1].created_at).total_seconds()) < 60


def test_what_is_discarded_is_gone_and_may_be_discarded_again(any_store: Store) -> None:
    one, other = (write_version(any_store, FRAME, TARGET) for _ in range(2))
    for _ in range(2):
        any_store.discard(one.files[0].key.rpartition("/")[0])
    assert folders(any_store) == [other.files[0].key.rpartition("/")[0]]


@pytest.mark.parametrize("value", [lambda: 1, pl.DataFrame({"o": [object()]}), FRAME.lazy().select("not there")])
def test_a_write_that_fails_leaves_nothing(any_store: Store, value: Any, tmp_path: Path) -> None:
    with pytest.raises((UnsupportedValueError, pl.exceptions.PolarsError)):
        write_version(any_store, value, TARGET)
    assert folders(any_store) == []
    staging = tmp_path / "home" / "staging"
    assert not staging.exists() or list(staging.iterdir()) == []


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def cut(content: bytes) -> bytes:
    return content[:40]


def removed(_content: bytes) -> None:
    return None


def longer(content: bytes) -> bytes:
    return content + b"x"


DAMAGES = [flipped, cut, removed, longer]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", TYPES)
def test_a_damaged_table_is_named_and_never_read(any_store: Store, damage: Any, kind: str) -> None:
    version = write_version(any_store, FRAME, TARGET)
    put(any_store, version.files[0].key, damage(content_of(any_store, version)))
    with pytest.raises(CorruptVersionError, match=rf"flights/weather\[2013-01\]@{version.id} cannot be read"):
        read_versions(any_store, [version], named(kind))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_proof_looks_at_the_files_whatever_was_read_before(any_store: Store, damage: Any) -> None:
    version = write_version(any_store, FRAME, TARGET)
    read_versions(any_store, [version])
    any_store.prove(version)
    put(any_store, version.files[0].key, damage(content_of(any_store, version)))
    with pytest.raises(CorruptVersionError, match="cannot be read"):
        any_store.prove(version)


def test_a_damaged_object_is_named_and_never_read(any_store: Store) -> None:
    version = write_version(any_store, {"a": 1}, TARGET)
    put(any_store, version.files[0].key, flipped(content_of(any_store, version)))
    with pytest.raises(CorruptVersionError, match="cannot be read"):
        read_versions(any_store, [version])


@pytest.mark.parametrize("cache", ["10GB", "off"])
def test_reads_are_the_same_with_and_without_a_cache(
    cache: str, any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_CACHE", cache)
    version = write_version(any_store, FRAME, TARGET)
    for _ in range(2):
        assert_frame_equal(read_versions(any_store, [version]), FRAME)


@pytest.mark.parametrize(
    "name", ["a b", "x.y", "größe 漢", "UP", "up", "a" * 300, "%41", "a+b", "=", "*?[", "'\"", "#&"]
)
def test_any_name_is_stored_and_read_back(name: str, any_store: Store) -> None:
    target = Target(TESS, f"flights/{name}", name)
    version = write_version(any_store, FRAME, target)
    for kind in (pl.DataFrame, pl.LazyFrame, pa.Table):
        assert_frame_equal(as_polars(read_versions(any_store, [version], kind)), FRAME)


def test_an_adopted_version_outlives_the_one_that_it_was(any_store: Store) -> None:
    version = write_version(any_store, FRAME, TARGET)
    adopted = adopt_version(any_store, version, PRODUCTION)
    assert {file.key.split("/")[0] for file in adopted.files} == {"production"}
    assert [file.checksum for file in adopted.files] == [file.checksum for file in version.files]
    any_store.discard(version.files[0].key.rpartition("/")[0])
    assert_frame_equal(read_versions(any_store, [adopted]), FRAME)
    any_store.prove(adopted)


def test_a_version_that_is_damaged_is_not_adopted(any_store: Store) -> None:
    version = write_version(any_store, FRAME, TARGET)
    put(any_store, version.files[0].key, b"something else")
    with pytest.raises(CorruptVersionError, match=version.id):
        adopt_version(any_store, version, PRODUCTION)
    assert not [key for key in folders(any_store) if key.startswith("production/")]
