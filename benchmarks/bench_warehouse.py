"""Pushing a join of a gigabyte to the SQL engine, and loading what it unloaded, against the same by hand."""

import gc
import os
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from benchmarks.interleave import Comparison, Contender, interleaved
from benchmarks.tables import mixed_table, workplace
from platform_core.catalog.opening import open_catalog
from platform_core.namespaces import Namespace
from platform_core.settings import as_if_in, current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import Target, write_version
from resources.warehouse import DuckDBWarehouse

JOIN = "select a.*, b.rank from {table} as a join {ranks} as b on a.{key} = b.{key}"
ME = Namespace("user", "bench")


def main() -> Comparison:
    with workplace() as folder:
        given = {"HEADRACE_HOME": str(folder), "HEADRACE_NAMESPACE": str(ME), "HEADRACE_CACHE": "off"}
        with as_if_in(given | {"HEADRACE_STORE": "", "HEADRACE_CATALOG": ""}):
            return _measure(folder)


def _measure(folder: Path) -> Comparison:
    mixed = mixed_table()
    key = next(name for name in mixed.schema.names if mixed.schema.field(name).type == "int64")
    ranks = duckdb.sql(f"select {key}, row_number() over () as rank from (select distinct {key} from mixed)")
    files = [_keep("bench/wide", mixed), _keep("bench/ranks", ranks)]
    del mixed, ranks
    gc.collect()
    ours = JOIN.format(table="bench.wide", ranks="bench.ranks", key=key)
    by_hand = JOIN.format(table=f"read_parquet({files[0]})", ranks=f"read_parquet({files[1]})", key=key)
    target = str(folder / "by_hand.parquet")

    def unload_and_load() -> None:
        DuckDBWarehouse().ctas(ours).read()

    def copy_and_read() -> None:
        with duckdb.connect() as connection:
            connection.execute(f"copy ({by_hand}) to '{target}' (format parquet, compression lz4_raw)")
        pq.read_table(target)
        os.unlink(target)

    contenders = [Contender("headrace", unload_and_load), Contender("by hand", copy_and_read)]
    return Comparison(
        claim="CTAS and load of a gigabyte take at most 1.1 times the same by hand with DuckDB and pyarrow",
        subject="headrace",
        reference="by hand",
        target=1.1,
        samples=interleaved(contenders),
    )


def _keep(asset: str, value: object) -> list[str]:
    settings = current_settings()
    store = open_store(settings.store)
    version = write_version(store, value, Target(ME, asset))
    open_catalog(settings.catalog).commit(ME, [version])
    return [str(path) for path in store.verified_paths(version)]
