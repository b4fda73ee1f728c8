"""S3: what is read is proven, little is transferred, and a server that fails is asked again or told of."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from platform_core.catalog.values import Version
from platform_core.errors import SettingsError, StoreError
from platform_core.settings import current_settings
from platform_core.store import mirror, s3
from platform_core.store.mirror import Mirror
from platform_core.store.opening import open_store
from platform_core.store.s3 import S3Store
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.store.buckets import Gate
from tests.platform_core.store.test_cache import settle

TARGET = Target(TESS, "flights/weather")
# Of eight megabytes that do not compress, in columns of one.
WIDE = pl.DataFrame({f"c{n}": pl.int_range(131_072, eager=True).hash(n) for n in range(8)})
SMALL = pl.DataFrame({"a": [1, 2, 3]})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "TIMEOUT", "1s")
    backoff = {"init_backoff": timedelta(milliseconds=5), "max_backoff": timedelta(milliseconds=20), "base": 2}
    monkeypatch.setattr(s3, "RETRIES", {"max_retries": 4, "backoff": backoff, "retry_timeout": timedelta(seconds=5)})


@pytest.fixture
def gated(gate: Gate, bucket: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)  # of a server that other tests keep running
    monkeypatch.setenv("HEADRACE_STORE", f"s3://{bucket}/gated")
    return S3Store(current_settings().store)


def requests(gate: Gate, method: str) -> int:
    return sum(seen == method for seen, _ in gate.seen)


def first(count: int, fault: str, method: str) -> Callable[[str, str], str | None]:
    """The first requests of a method fail."""
    left = count

    def plan(seen: str, _path: str) -> str | None:
        nonlocal left
        if seen != method or left == 0:
            return None
        left -= 1
        return fault

    return plan


@pytest.mark.parametrize("fault", ["500", "503", "drop", "hang"])
@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
def test_a_fault_that_passes_is_not_noticed(fault: str, method: str, gate: Gate, gated: S3Store) -> None:
    gate.plan = first(2, fault, method)
    version = write_version(gated, SMALL, TARGET)
    if method == "HEAD":
        assert gated.remote(version)
    assert_frame_equal(read_versions(gated, [version]), SMALL)


def test_an_answer_that_breaks_off_is_asked_for_again(gate: Gate, gated: S3Store) -> None:
    version = write_version(gated, SMALL, TARGET)
    gate.plan = first(2, "cut", "GET")
    assert_frame_equal(read_versions(gated, [version]), SMALL)


@pytest.mark.parametrize("fault", ["500", "503", "drop"])
def test_a_write_to_a_server_that_stays_away_is_one_sentence(fault: str, gate: Gate, gated: S3Store) -> None:
    gate.plan = lambda method, _path: fault if method == "PUT" else None
    start = time.monotonic()
    with pytest.raises(StoreError, match=r"s3://bucket-\d+/gated/user/tess/.* cannot be reached") as told:
        write_version(gated, SMALL, TARGET)
    assert "Nothing was changed" in str(told.value)
    assert "\n" not in str(told.value)
    assert time.monotonic() - start < 30
    gate.plan = lambda _method, _path: None
    assert list(gated.version_folders()) == []


@pytest.mark.parametrize("fault", ["500", "cut"])
def test_a_read_from_a_server_that_stays_away_is_one_sentence(fault: str, gate: Gate, gated: S3Store) -> None:
    version = write_version(gated, SMALL, TARGET)
    gate.plan = lambda method, _path: fault if method == "GET" else None
    with pytest.raises(StoreError, match="cannot be reached"):
        read_versions(gated, [version])
    gate.plan = lambda _method, _path: None
    assert_frame_equal(read_versions(gated, [version]), SMALL)


@pytest.mark.parametrize("fault", ["401", "403"])
def test_what_the_keys_do_not_allow_is_one_sentence(fault: str, gate: Gate, gated: S3Store) -> None:
    version = write_version(gated, SMALL, TARGET)
    gate.plan = lambda _method, _path: fault
    actions: list[Callable[[], Any]] = [
        lambda: write_version(gated, SMALL, TARGET),
        lambda: read_versions(gated, [version]),
        lambda: read_versions(gated, [version], pl.LazyFrame),
        lambda: gated.discard(version.files[0].key),
        lambda: list(gated.version_folders()),
    ]
    for action in actions:
        gate.seen.clear()
        with pytest.raises(StoreError, match=r"^s3://.* is refused to the keys .*grants NAMESPACE --s3` prints .*$"):
            action()
        assert len(gate.seen) <= 2  # asked again for nothing; the clean-up of a write asks once


def test_no_server_at_all_is_one_sentence(gate: Gate, gated: S3Store) -> None:
    gate.close()
    with pytest.raises(StoreError, match="cannot be reached"):
        write_version(gated, SMALL, TARGET)


def test_a_large_file_goes_up_in_parts_and_comes_down_in_ranges(
    gate: Gate, gated: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "BLOCK", 5 * 1024 * 1024)
    version = write_version(gated, WIDE, TARGET)
    assert requests(gate, "POST") == 2  # begins and completes
    assert requests(gate, "PUT") == 2
    assert_frame_equal(read_versions(gated, [version]), WIDE)
    assert requests(gate, "GET") == 2


def test_a_part_that_fails_is_sent_again(gate: Gate, gated: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "BLOCK", 5 * 1024 * 1024)
    gate.plan = first(3, "503", "PUT")
    assert_frame_equal(read_versions(gated, [write_version(gated, WIDE, TARGET)]), WIDE)


def transferred(gate: Gate, action: Callable[[], Any]) -> int:
    before = gate.sent
    action()
    return gate.sent - before


@pytest.mark.parametrize("kind", ["polars", "duckdb"])
def test_a_lazy_read_transfers_only_the_columns_that_are_used(kind: str, gate: Gate, gated: S3Store) -> None:
    version = write_version(gated, WIDE, TARGET)

    def by_polars() -> None:
        assert read_versions(gated, [version], pl.LazyFrame).select("c3").collect().equals(WIDE.select("c3"))

    def by_duckdb() -> None:
        relation = read_versions(gated, [version], import_module("duckdb").DuckDBPyRelation)
        assert relation.aggregate("count(distinct c3)").fetchall() == [(131_072,)]

    assert transferred(gate, by_polars if kind == "polars" else by_duckdb) < version.bytes / 3


@pytest.mark.parametrize("frame", [WIDE, SMALL], ids=["decoded in the cache", "copied"])
def test_a_second_whole_read_transfers_nothing(frame: pl.DataFrame, gate: Gate, gated: S3Store) -> None:
    version = write_version(gated, frame, TARGET)
    read_versions(gated, [version])
    settle()
    gate.seen.clear()
    assert_frame_equal(read_versions(gated, [version]), frame)
    assert gate.seen == []


def test_partitions_are_downloaded_side_by_side(gate: Gate, gated: S3Store) -> None:
    versions = [write_version(gated, SMALL, TARGET) for _ in range(8)]
    together = threading.Barrier(4, timeout=10)

    def plan(_method: str, _path: str) -> None:
        together.wait()  # is broken, and fails the request, unless four come at once

    gate.plan = plan
    assert read_versions(gated, versions).height == 8 * SMALL.height


def test_what_was_proven_once_is_not_asked_for_again(gate: Gate, gated: S3Store) -> None:
    version = write_version(gated, SMALL, TARGET)
    gated.remote(version)
    gate.seen.clear()
    gated.remote(version)
    assert gate.seen == []


def test_a_damaged_copy_on_this_machine_is_downloaded_again(s3_store: S3Store) -> None:
    version = write_version(s3_store, SMALL, TARGET)
    (path,) = s3_store.verified_paths(version)
    path.write_bytes(b"damaged")
    assert_frame_equal(read_versions(s3_store, [version]), SMALL)


def test_copies_on_this_machine_are_bounded(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(mirror, "SPARED_SECONDS", -1)
    versions = [write_version(s3_store, SMALL, TARGET) for _ in range(4)]
    small = Mirror(tmp_path / "mirror", versions[0].bytes * 2)

    def read(version: Version) -> None:
        small.paths(version, lambda file, path: s3_store._download(version, file, path))
        time.sleep(0.02)

    for version in (versions[0], versions[1], versions[0], versions[2]):
        read(version)
    kept = [small._files.path(version.files[0].key).exists() for version in versions]
    assert kept == [True, False, True, False]


@pytest.mark.parametrize("kind", ["part-00000.parquet", "folder"])
def test_making_room_does_not_mind_what_others_remove_meanwhile(
    kind: str, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mirror, "SPARED_SECONDS", -1)
    versions = [write_version(s3_store, SMALL, TARGET) for _ in range(2)]
    small = Mirror(tmp_path / "mirror", 1)
    status = Path.stat

    def vanishing(path: Path, **given: Any) -> Any:
        if path.name == kind or (kind == "folder" and path.name == versions[0].id):
            raise FileNotFoundError(path)
        return status(path, **given)

    def download(version: Version) -> list[Path]:
        return small.paths(version, lambda file, path: s3_store._download(version, file, path))

    download(versions[0])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", vanishing)
        small._make_room(1)
    assert all(path.exists() for path in download(versions[1]))


def test_a_bucket_that_is_not_there_is_one_sentence(s3_environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match=r"s3://no-such-bucket/.* cannot be reached"):
        write_version(S3Store("s3://no-such-bucket"), SMALL, TARGET)


def test_other_schemes_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"^HEADRACE_STORE: 'ftp://x' is not supported; name a folder or s3://"):
        open_store("ftp://x")
