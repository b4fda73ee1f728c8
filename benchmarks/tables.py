"""The table that benchmarks of the store write and read, and everybody who can do it."""

import logging
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.catalog import Catalog, open_catalog
from platform_core.namespaces import Namespace
from platform_core.store.local import LocalStore
from platform_core.store.parquet import COMPRESSION
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
        f"pyarrow {COMPRESSION}",
        lambda: pq.write_table(table, path, compression=COMPRESSION),
        lambda: pq.read_table(path),
    )


def raw_polars(folder: Path, frame: pl.DataFrame) -> Peer:
    path = folder / "raw-polars.parquet"
    return Peer(
        f"polars {COMPRESSION}",
        lambda: frame.write_parquet(path, compression=COMPRESSION),
        lambda: pl.read_parquet(path),
    )


def versioned_peers(folder: Path, table: pa.Table) -> list[Peer]:
    """Those that are installed; the others are named with the reason why they are left out."""
    makers = {"deltalake": _deltalake, "pyiceberg": _pyiceberg, "dagster pickle": _dagster, "metaflow": _metaflow}
    found = []
    for name, make in makers.items():
        try:
            found.append(make(folder / name.replace(" ", "-"), table))
        except ModuleNotFoundError as error:
            print(f"left out: {name}, because {error.name} is not installed (uv sync --group bench)")
    print("left out: dagster-polars and dagster-duckdb, whose reads fail with polars 2 and duckdb 2")
    return found


def _deltalake(folder: Path, table: pa.Table) -> Peer:
    from deltalake import DeltaTable, write_deltalake

    return Peer(
        "deltalake",
        lambda: write_deltalake(folder, table, mode="overwrite"),
        lambda: DeltaTable(folder).to_pyarrow_table(),
    )


def _pyiceberg(folder: Path, table: pa.Table) -> Peer:
    from pyiceberg.catalog.sql import SqlCatalog

    folder.mkdir()
    warnings.filterwarnings("ignore", "Delete operation did not match")
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
    catalog.create_namespace("bench")
    kept = catalog.create_table("bench.table", table.schema)
    return Peer("pyiceberg", lambda: kept.overwrite(table), lambda: kept.scan().to_arrow())


def _dagster(folder: Path, table: pa.Table) -> Peer:
    import dagster as dg

    manager = dg.FilesystemIOManager(base_dir=str(folder)).create_io_manager(dg.build_init_resource_context())
    key = dg.AssetKey("table")
    return Peer(
        "dagster pickle",
        lambda: manager.handle_output(_quiet(dg.build_output_context(asset_key=key)), table),
        lambda: manager.load_input(_quiet(dg.build_input_context(asset_key=key))),
    )


def _quiet(context: Any) -> Any:
    context.log.setLevel(logging.WARNING)
    return context


def _metaflow(folder: Path, table: pa.Table) -> Peer:
    store: Any = import_module("metaflow.datastore").FlowDataStore
    storage: Any = import_module("metaflow.plugins.datastores.local_storage").LocalStorage

    class Silent:
        def __getattr__(self, _name: str) -> Any:
            return lambda *_, **__: None

    flow = store("Bench", None, storage_impl=storage, ds_root=str(folder))
    numbers = iter(range(1000))
    last: list[str] = []

    def write() -> None:
        shutil.rmtree(folder, ignore_errors=True)  # it keeps equal contents once, so that a second write is none
        last[:] = [str(next(numbers))]
        task = flow.get_task_datastore("1", "step", last[0], attempt=0, mode="w")
        task.init_task()
        task.save_artifacts([("table", table)])
        task.done()

    def read() -> None:
        task = flow.get_task_datastore("1", "step", last[0], attempt=0)
        dict(task.load_artifacts(["table"]))

    return Peer("metaflow", write, read)
