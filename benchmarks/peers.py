"""Who else keeps tables for a pipeline, and can write one and read back what was written last."""

import logging
import shutil
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from benchmarks.tables import Peer


def versioned_peers(folder: Path, table: pa.Table) -> list[Peer]:
    """Those that are installed; the others are named with the reason why they are left out."""
    found = []
    for name, make in MAKERS.items():
        try:
            found.append(make(folder / name.replace(" ", "-"), table))
        except ModuleNotFoundError as error:
            print(f"left out: {name}, because {error.name} is not installed (uv sync --group bench)")
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


def _dagster_pickle(folder: Path, table: pa.Table) -> Peer:
    import dagster as dg

    manager = dg.FilesystemIOManager(base_dir=str(folder)).create_io_manager(dg.build_init_resource_context())
    return _io_manager("dagster pickle", manager, table)


def _dagster_polars(folder: Path, table: pa.Table) -> Peer:
    import dagster as dg
    import dagster_polars.io_managers.parquet as theirs

    class Mended:
        """polars, whose `scan_parquet` takes the arguments again that polars 2 has removed: all that fails there."""

        def __getattr__(self, name: str) -> Any:
            return getattr(pl, name)

        def scan_parquet(self, *given: Any, **options: Any) -> pl.LazyFrame:
            known = {name: value for name, value in options.items() if name not in ("rechunk", "retries")}
            return pl.scan_parquet(*given, **known)

    vars(theirs)["pl"] = Mended()
    manager: Any = theirs.PolarsParquetIOManager(base_dir=str(folder))
    manager.setup_for_execution(dg.build_init_resource_context())
    return _io_manager("dagster-polars", manager, pl.DataFrame(pl.from_arrow(table)))


def _dagster_duckdb(folder: Path, table: pa.Table) -> Peer:
    import dagster as dg
    from dagster_duckdb import DuckDBIOManager
    from dagster_duckdb_polars.duckdb_polars_type_handler import DuckDBPolarsTypeHandler

    class Result:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def execute(self, statement: str) -> Any:
            self.arrow = self._connection.sql(statement).to_arrow_table
            return self

    class Mended(DuckDBPolarsTypeHandler):
        """With the method of a result that duckdb 2 has renamed: all that fails there."""

        def load_input(self, context: Any, table_slice: Any, connection: Any) -> pl.DataFrame:
            return super().load_input(context, table_slice, Result(connection))

    class Manager(DuckDBIOManager):
        @staticmethod
        def type_handlers() -> Any:
            return [Mended()]

    folder.mkdir()
    database = str(folder / "tables.duckdb")
    config: dict[str, Any] = {"database": database, "connection_config": {}, "schema": None}
    manager = Manager(database=database).create_io_manager(dg.build_init_resource_context())
    return _io_manager("dagster-duckdb-polars", manager, pl.DataFrame(pl.from_arrow(table)), config)


def _io_manager(name: str, manager: Any, value: Any, config: dict[str, Any] | None = None) -> Peer:
    """As Dagster would call it for an asset of the value's type."""
    import dagster as dg

    given: dict[str, Any] = {
        "asset_key": dg.AssetKey(["bench", "table"]),
        "definition_metadata": {},
        "dagster_type": dg.PythonObjectDagsterType(type(value)),
        "resource_config": config,
    }

    def output() -> Any:
        return _quiet(dg.build_output_context(**given))

    def read() -> Any:
        return manager.load_input(_quiet(dg.build_input_context(upstream_output=output(), **given)))

    return Peer(name, lambda: manager.handle_output(output(), value), read)


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


MAKERS: dict[str, Callable[[Path, pa.Table], Peer]] = {
    "deltalake": _deltalake,
    "pyiceberg": _pyiceberg,
    "dagster pickle": _dagster_pickle,
    "dagster-polars": _dagster_polars,
    "dagster-duckdb-polars": _dagster_duckdb,
    "metaflow": _metaflow,
}
