"""The table that benchmarks of the store write and read, and everybody who can do it."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.namespaces import Namespace
from platform_core.store.layout import compression
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, read_versions, write_version

# A gigabyte of thirty columns; fewer rows for a quick look.
ROWS = int(os.environ.get("HEADRACE_BENCH_ROWS", "4000000"))
YEAR, SELDOM = 31_536_000, 0.3
WHO = Namespace("user", "benchmark")


def mixed_table(rows: int = ROWS) -> pa.Table:
    """Thirty columns: integers that repeat and that do not, measurements, prices, names, identifiers, times, flags."""
    random = np.random.default_rng(0)
    names = pa.array([f"name-{n:05d}-{'x' * (n % 17)}" for n in range(20_000)])
    start = np.datetime64("2013-01-01", "us")
    columns = {
        **{f"key{n}": random.integers(0, 50 * 10**n, rows) for n in range(5)},
        **{f"count{n}": random.poisson(20, rows).astype("int32") for n in range(4)},
        **{f"real{n}": random.normal(0, 1, rows) for n in range(5)},
        **{f"price{n}": np.round(random.gamma(2, 50, rows), 2) for n in range(3)},
        **{f"share{n}": random.random(rows, dtype="float32") for n in range(3)},
        **{f"name{n}": names.take(pa.array(random.integers(0, 20 * 10 ** (n + 1), rows))) for n in range(3)},
        "id": pa.array(np.arange(rows)).cast(pa.string()),
        **{f"at{n}": start + (random.integers(0, YEAR, rows) * 10**6).astype("timedelta64[us]") for n in range(3)},
        **{f"flag{n}": random.random(rows) < SELDOM for n in range(2)},
        "maybe": pa.array(random.normal(0, 1, rows), mask=random.random(rows) < SELDOM),
    }
    return pa.table(columns)


SMALL = pl.DataFrame({"n": range(10), "text": ["x"] * 10})


def times(turns: int, work: Callable[[], object]) -> Callable[[], None]:
    """The same several times: of what takes milliseconds, one alone says little."""

    def run() -> None:
        for _ in range(turns):
            work()

    return run


def with_allowance(turns: int, work: Callable[[], object], seconds: float) -> Callable[[], None]:
    """The same several times, each with some seconds more, for claims that allow so much beyond something."""

    def run() -> None:
        times(turns, work)()
        time.sleep(turns * seconds)

    return run


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who can write a table and read what was written last."""

    name: str
    write: Callable[[], object]
    read: Callable[[], object]


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder on the disk of the repository, which goes afterwards. The cache of the platform is in it, too."""
    home = Path(__file__).resolve().parents[1] / ".headrace" / "benchmarks"
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=home))
    before = os.environ.get("HEADRACE_HOME")
    os.environ["HEADRACE_HOME"] = str(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("HEADRACE_HOME") if before is None else os.environ.update(HEADRACE_HOME=before)


class Ours:
    """The platform: a store, a catalog, and the namespace's current version."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.store: LocalStore = LocalStore(folder / "store")
        self.catalog: Catalog = open_catalog(f"sqlite:///{folder}/catalog.db")

    def write(self, value: Any) -> None:
        """Files made durable, then one transaction."""
        self.catalog.commit(WHO, [write_version(self.store, value, Target(WHO, "bench/table"))])

    def replace(self, value: Any) -> None:
        """The same, and what it replaces goes, so that the disk does not fill."""
        old = self.catalog.resolve(WHO, "bench/table").get("")
        self.write(value)
        if old:
            self.store.discard(old.version.files[0].key.rpartition("/")[0])

    def read(self, kind: Any) -> Any:
        return read_versions(self.store, [self.catalog.resolve(WHO, "bench/table")[""].version], kind)


def raw_pyarrow(folder: Path, table: pa.Table) -> Peer:
    path = folder / "raw-pyarrow.parquet"
    return Peer(
        f"pyarrow {compression()}",
        lambda: pq.write_table(table, path, compression=compression()),
        lambda: pq.read_table(path),
    )


def raw_polars(folder: Path, frame: pl.DataFrame) -> Peer:
    path = folder / "raw-polars.parquet"
    return Peer(
        f"polars {compression()}",
        lambda: frame.write_parquet(path, compression=compression()),
        lambda: pl.read_parquet(path),
    )
