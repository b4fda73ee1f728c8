"""The warehouse in the steps of assets: what it read and what it cost is told, and what it may read is declared."""

from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import polars as pl
import pyarrow as pa
import pytest

from platform_core import feature
from platform_core.catalog.catalog import Catalog
from platform_core.store.unloaded import Unloaded
from resources.warehouse import DuckDBWarehouse, Warehouse
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import metadata, run, sentence
from tests.platform_core.warehouse.conftest import World

ROUTES, DAYS = dg.AssetKey(["flights", "routes"]), dg.AssetKey(["flights", "days"])
MONTHS = dg.StaticPartitionsDefinition(["2013-01", "2013-02"])
SQL = "select month, origin, delay, miles from flights.days join flights.routes using (origin) order by month, day"


@pytest.fixture(autouse=True)
def _a_world(world: World) -> None:
    """There is something to ask for."""


def with_warehouse(asset: dg.AssetsDefinition, of: str = "") -> dg.ExecuteInProcessResult:
    return run(asset, of=of, resources={"warehouse": DuckDBWarehouse()})


def test_what_was_read_is_the_versions_provenance(catalog: Catalog) -> None:
    @feature(deps=[ROUTES, DAYS], key_prefix="flights")
    def delays(warehouse: Warehouse) -> pa.Table:
        return warehouse.query(SQL)

    result = with_warehouse(delays)
    version = catalog.resolve(TESS, "flights/delays")[""].version
    read = {(item.name, item.asset, item.partition, item.namespace) for item in version.provenance.inputs}
    assert read == {
        ("flights.days", "flights/days", "2013-01", "production"),
        ("flights.days", "flights/days", "2013-02", "user/tess"),
        ("flights.routes", "flights/routes", "", "production"),
    }
    told = metadata(result, delays)
    assert told["headrace/bytes_scanned"] > 0
    assert told["headrace/query_seconds"] > 0
    assert "| select month, origin, delay" in told["headrace/queries"]
    assert "DuckDB" in told["headrace/queries"]


def test_an_asset_is_what_the_engine_wrote(catalog: Catalog) -> None:
    @feature(
        deps=[ROUTES, DAYS],
        key_prefix="flights",
        schema=pa.schema(
            [("month", pa.string()), ("origin", pa.string()), ("delay", pa.int64()), ("miles", pa.int64())]
        ),
    )
    def delays(warehouse: Warehouse) -> Unloaded:
        return warehouse.ctas(SQL)

    assert with_warehouse(delays).success
    assert catalog.resolve(TESS, "flights/delays")[""].version.rows == 6


def test_a_result_is_cut_into_partitions(catalog: Catalog) -> None:
    @feature(deps=[ROUTES, DAYS], key_prefix="flights", partitions_def=MONTHS, partition_by="month")
    def delays(warehouse: Warehouse) -> Unloaded:
        return warehouse.ctas(SQL)

    assert with_warehouse(delays, of="2013-01..2013-02").success
    assert {key: item.version.rows for key, item in catalog.resolve(TESS, "flights/delays").items()} == {
        "2013-01": 3,
        "2013-02": 3,
    }


def test_a_read_that_is_not_declared_is_refused(catalog: Catalog) -> None:
    @feature(deps=[DAYS], key_prefix="flights")
    def delays(warehouse: Warehouse) -> pa.Table:
        return warehouse.query(SQL)

    told = sentence(with_warehouse(delays))
    assert "flights/delays reads flights/routes without saying so" in told
    assert 'deps=[dg.AssetKey(["flights", "routes"])]' in told
    assert catalog.resolve(TESS, "flights/delays") == {}


def test_a_table_of_ones_own_location_comes_first(world: World, catalog: Catalog) -> None:
    world.write("airports/routes", pl.DataFrame({"a": [1]}))

    @feature(deps=[ROUTES], key_prefix="flights")
    def lengths(warehouse: Warehouse) -> pa.Table:
        return warehouse.query("select miles from routes")

    assert with_warehouse(lengths).success


def test_threads_of_an_asset_are_noted_too(catalog: Catalog) -> None:
    @feature(deps=[ROUTES], key_prefix="flights")
    def lengths(warehouse: Warehouse) -> pa.Table:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(warehouse.query, "select miles from flights.routes").result()

    assert with_warehouse(lengths).success
    inputs = catalog.resolve(TESS, "flights/lengths")[""].version.provenance.inputs
    assert [item.asset for item in inputs] == ["flights/routes"]


def test_a_query_that_fails_leaves_the_namespace_as_it_was(catalog: Catalog) -> None:
    @feature(deps=[ROUTES], key_prefix="flights")
    def lengths(warehouse: Warehouse) -> Unloaded:
        return warehouse.ctas("select nope from flights.routes")

    told = sentence(with_warehouse(lengths))
    assert "test_warehouse.py:" in told
    assert "nope" in told
    assert catalog.resolve(TESS, "flights/lengths") == {}
