"""A disk that is full or may not be written to is one sentence, and nothing of the write is left or seen."""

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.errors import StoreError
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, read_versions, write_parts, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.processes import run_together

TARGET = Target(TESS, "flights/weather")
# Three megabytes that do not compress.
LARGE = pl.DataFrame({f"c{n}": pl.int_range(131_072, eager=True).hash(n) for n in range(3)})

VALUES: dict[str, Callable[[], Any]] = {
    "polars": lambda: LARGE,
    "lazy": LARGE.lazy,
    "arrow": LARGE.to_arrow,
    "stream": lambda: LARGE.to_arrow().to_reader(max_chunksize=8192),
    "object": lambda: LARGE.to_arrow().to_pydict(),
    "pickle": lambda: tuple(LARGE["c0"].to_list()),
}


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", VALUES)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(kind: str, mounted: Path) -> None:
    store = LocalStore(mounted / "store")
    kept = write_version(store, pl.DataFrame({"a": [1]}), TARGET)
    with pytest.raises(StoreError, match=r"flights/weather could not be written to .*/store: there is no space left"):
        write_version(store, VALUES[kind](), TARGET)
    assert len(list(store.version_folders())) == 1
    assert read_versions(store, [kept])["a"].to_list() == [1]
    write_version(store, pl.DataFrame({"a": [2]}), TARGET)


@pytest.mark.parametrize("kind", ["polars", "stream"])
def test_a_disk_that_fills_while_partitions_are_written_leaves_none(kind: str, mounted: Path) -> None:
    store = LocalStore(mounted / "store")
    frame = LARGE.with_columns(part=pl.int_range(pl.len()) % 5)
    value = frame if kind == "polars" else frame.to_arrow().to_reader(max_chunksize=8192)
    with pytest.raises(StoreError, match="there is no space left"):
        write_parts(store, value, "part", lambda key: Target(TESS, "a", key), lambda _keys, _complete: None)
    assert list(store.version_folders()) == []
    assert [path for path in mounted.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("kind", VALUES)
def test_a_disk_that_may_only_be_read_is_one_sentence(kind: str, mounted: Path) -> None:
    store = LocalStore(mounted / "store")
    kept = write_version(store, pl.DataFrame({"a": [1]}), TARGET)
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    with pytest.raises(StoreError, match=r"could not be written to .*: this process may not write there"):
        write_version(store, VALUES[kind](), TARGET)
    assert read_versions(store, [kept])["a"].to_list() == [1]


def write_limited(root: str, kind: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        write_version(LocalStore(Path(root)), VALUES[kind](), TARGET)
    except StoreError as error:
        os._exit(7 if "would exceed the size that this process may write" in str(error) else 8)


@pytest.mark.parametrize("kind", ["polars", "arrow", "stream", "pickle"])
def test_a_limit_on_files_is_one_sentence(kind: str, tmp_path: Path) -> None:
    assert run_together(write_limited, [(str(tmp_path), kind)]) == [7]
    assert list(LocalStore(tmp_path).version_folders()) == []


# Killed anywhere between the first byte and the commit

MOMENTS, AT_ONCE = 240, 5


def count_calls(limit: int) -> Callable[[], int]:
    """Counts the calls that Python makes from here on, in any thread, and kills this process at the limit."""
    made = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")
        if made == limit:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)
    sys.setprofile(count)
    return lambda: made


def replace(root: str, catalog: Catalog, number: int) -> int:
    """Writes and commits a value, and returns the calls that it took; or dies on the way."""
    store, value = LocalStore(Path(root)), pa.table({"a": [2, 2]})
    catalog.resolve(TESS, "flights/weather")
    calls = count_calls(number)
    catalog.commit(TESS, [write_version(store, value, TARGET)])
    sys.setprofile(None)
    return calls()


def fork(root: str, catalog: Catalog, number: int) -> int:
    process = os.fork()
    if process == 0:
        try:
            Path(root, f"calls{number}").write_text(str(replace(root, catalog, number)))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return process


def fork_at(root: str, url: str, moments: list[int]) -> None:
    """A fork of this process for each moment, some at once. One import serves all, and none counts as a moment."""
    import pandas  # noqa: F401 -- pyarrow imports it for the first table

    catalog = open_catalog(url)
    catalog.resolve(TESS, "flights/weather")  # what SQLAlchemy makes of a query once, it keeps
    catalog._engine.dispose()  # no connection may be shared with a fork
    gc.freeze()
    codes = []
    for start in range(0, len(moments), AT_ONCE):
        forks = [fork(root, catalog, moment) for moment in moments[start : start + AT_ONCE]]
        codes += [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in forks]
    Path(root, "codes").write_text(json.dumps(codes))


def exit_codes(root: str, url: str, moments: list[int]) -> list[int]:
    assert run_together(fork_at, [(root, url, moments)]) == [0]
    found: list[int] = json.loads(Path(root, "codes").read_text())
    return found


def test_killed_anywhere_a_namespace_shows_the_old_or_the_new(tmp_path: Path) -> None:
    root, url = str(tmp_path / "store"), f"sqlite:///{tmp_path}/catalog.db"
    store, catalog = LocalStore(Path(root)), open_catalog(url)
    old = catalog.commit(TESS, [write_version(store, pa.table({"a": [1]}), TARGET)])
    assert exit_codes(root, url, [-1]) == [0]
    calls = int(Path(root, "calls-1").read_text())
    assert calls > MOMENTS
    codes = exit_codes(root, url, [1 + calls * number // MOMENTS for number in range(MOMENTS)])
    assert set(codes) == {0, -signal.SIGKILL} or set(codes) == {-signal.SIGKILL}
    assert codes.count(-signal.SIGKILL) > MOMENTS * 0.9
    listed = [item.version for item in catalog.history(TESS, "flights/weather")]
    assert len(listed) >= 2 + codes.count(0)
    for version in listed:
        rows = read_versions(LocalStore(Path(root)), [version])["a"].to_list()
        assert rows == ([1] if version.id in [kept.id for kept in old] else [2, 2])
    assert {version.id for version in listed} < {key.rpartition("/")[2] for key, _ in store.version_folders()}
