"""Whole tables of some size come from S3 through memory: in order, proven, and without a copy on this machine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from platform_core.errors import CorruptVersionError
from platform_core.store import parquet, s3
from platform_core.store.local import LocalStore
from platform_core.store.s3 import S3Store
from platform_core.store.tables import as_polars
from platform_core.store.values import read_versions, write_version
from tests.platform_core.store.test_any_store import DAMAGES, content_of, put
from tests.platform_core.store.test_s3 import TARGET, WIDE
from tests.platform_core.store.test_tables import make, named

WHOLE = ["polars.DataFrame", "pyarrow.Table", "pandas.DataFrame"]


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are cut into files at a few megabytes."""
    monkeypatch.setattr(parquet, "FILE_BYTES", 6 * 1024 * 1024)
    monkeypatch.setenv("HEADRACE_CACHE", "off")


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_tables_come_out_of_memory_in_the_order_of_their_files(
    kind: str, in_files: None, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [write_version(s3_store, make(kind, part), TARGET) for part in (WIDE, WIDE.reverse())]
    assert [len(version.files) for version in versions] == [2, 2]
    monkeypatch.setattr(s3, "BLOCK", 1024 * 1024)
    monkeypatch.setattr(s3_store, "verified_paths", None)  # no copies on this machine
    found = as_polars(read_versions(s3_store, versions, named(kind)))
    assert_frame_equal(found, pl.concat([WIDE, WIDE.reverse()]))


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_comes_out_of_memory_is_proven(
    damage: Callable[[bytes], bytes | None],
    kind: str,
    in_files: None,
    s3_store: S3Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = write_version(s3_store, WIDE, TARGET)
    monkeypatch.setattr(s3, "BLOCK", 1024 * 1024)
    # As if the server itself had altered it: the ETag, which would give it away, is not known.
    version = replace(version, files=tuple(replace(file, etag="") for file in version.files))
    put(s3_store, version.files[1].key, damage(content_of(s3_store, version)))
    with pytest.raises(CorruptVersionError, match=rf"flights/weather@{version.id} cannot be read: its file .*00001"):
        read_versions(s3_store, [version], named(kind))


def test_columns_that_differ_between_partitions_are_read_as_elsewhere(
    in_files: None, s3_store: S3Store, store: LocalStore
) -> None:
    both = (WIDE, WIDE.with_columns(more=1))
    remote, local = ([write_version(where, part, TARGET) for part in both] for where in (s3_store, store))
    assert read_versions(s3_store, remote, pa.Table).equals(read_versions(store, local, pa.Table))


def test_downloads_run_ahead_in_order_but_not_far() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number

    with ThreadPoolExecutor(4) as pool:
        for taken, result in enumerate(s3.ahead(pool, work, range(50), 4)):
            assert result == taken
            assert len(begun) <= taken + 4
    assert sorted(begun) == list(range(50))
