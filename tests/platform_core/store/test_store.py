"""Files are sealed with size and checksum; whatever happens to them afterwards is noticed."""

import os
from pathlib import Path

import pytest

from platform_core.catalog.values import StoredFile, Version
from platform_core.errors import CorruptVersionError
from platform_core.store.local import LocalStore
from platform_core.store.opening import open_store
from platform_core.store.store import content_version
from tests.platform_core.drafts import draft

KEY = "user/tess/flights/weather/2013-01/v1"


@pytest.fixture
def version(store: LocalStore) -> Version:
    """A version of two files, sealed."""
    folder = store.new_folder(KEY)
    (folder / "a.bin").write_bytes(b"0123456789")
    (folder / "b.bin").write_bytes(b"")
    return draft("flights/weather", "2013-01", id="v1", files=store.seal(KEY))


def refused(store: LocalStore, version: Version) -> str:
    with pytest.raises(CorruptVersionError) as error:
        store.verified_paths(version)
    assert str(error.value).startswith("Version flights/weather[2013-01]@v1 cannot be read: its file ")
    assert "Materialise flights/weather again, or read an older version" in str(error.value)
    return str(error.value)


def test_files_are_sealed_with_key_size_and_checksum(store: LocalStore, version: Version) -> None:
    assert [(file.key, file.size) for file in version.files] == [(f"{KEY}/a.bin", 10), (f"{KEY}/b.bin", 0)]
    assert all(file.checksum.startswith("xxh3:") for file in version.files)


def test_what_was_sealed_can_be_read(store: LocalStore, version: Version) -> None:
    assert [path.read_bytes() for path in store.verified_paths(version)] == [b"0123456789", b""]


def test_a_missing_file_names_the_version(store: LocalStore, version: Version) -> None:
    store.path(version.files[0].key).unlink()
    assert "a.bin is missing" in refused(store, version)


def test_a_truncated_file_names_the_version(store: LocalStore, version: Version) -> None:
    os.truncate(store.path(version.files[0].key), 4)
    assert "a.bin has 4 bytes instead of 10" in refused(store, version)


def test_a_file_that_grew_names_the_version(store: LocalStore, version: Version) -> None:
    store.path(version.files[1].key).write_bytes(b"x")
    assert "b.bin has 1 bytes instead of 0" in refused(store, version)


@pytest.mark.parametrize("position", [0, 5, 9])
def test_an_altered_byte_names_the_version(store: LocalStore, version: Version, position: int) -> None:
    path = store.path(version.files[0].key)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    assert "a.bin has another content than the one that was written" in refused(store, version)


def test_what_was_verified_once_is_not_read_again(
    store: LocalStore, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.verified_paths(version)
    monkeypatch.setattr("platform_core.store.files.checksum", lambda _path: pytest.fail("read a second time"))
    store.verified_paths(version)


def test_a_file_that_changes_after_it_was_verified_is_noticed(store: LocalStore, version: Version) -> None:
    store.verified_paths(version)
    path = store.path(version.files[0].key)
    path.write_bytes(b"9876543210")
    os.utime(path, ns=(0, 0))  # whatever the clock of the file system
    assert "another content" in refused(store, version)


def test_a_folder_of_a_version_is_never_used_twice(store: LocalStore, version: Version) -> None:
    with pytest.raises(FileExistsError):
        store.new_folder(KEY)


def test_a_discarded_folder_is_gone_and_may_be_discarded_again(store: LocalStore) -> None:
    (store.new_folder(KEY) / "a.bin").write_bytes(b"x")
    store.discard(KEY)
    store.discard(KEY)
    assert not store.path(KEY).exists()


def test_files_and_their_folder_are_made_durable(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr("platform_core.store.local.flush", flushed.append)
    folder = store.new_folder(KEY)
    (folder / "a.bin").write_bytes(b"x")
    store.seal(KEY)
    above = [folder, *folder.parents][: len(KEY.split("/"))]
    assert {folder / "a.bin", *above, store.root} == set(flushed)


def test_equal_contents_have_one_content_version_whatever_the_files_are_called() -> None:
    one, other = StoredFile("x/a", 1, "xxh3:1"), StoredFile("y/b", 1, "xxh3:1")
    assert content_version([one]) == content_version([other])
    assert content_version([one]) != content_version([StoredFile("x/a", 1, "xxh3:2")])
    assert content_version([one]) != content_version([one, one])


def test_a_store_is_opened_once_for_each_location(tmp_path: Path) -> None:
    assert open_store(str(tmp_path)) is open_store(str(tmp_path))
