"""A namespace with some tables, and each engine over it."""

import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.store import Store
from platform_core.store.values import Target, write_version
from resources.warehouse import Warehouse, warehouse_here
from tests.platform_core.drafts import TESS
from tests.platform_core.store.conftest import bucket, s3_environment, s3_server
from tests.platform_core.warehouse.athena_double import Double, install

__all__ = ["bucket", "s3_environment", "s3_server"]  # fixtures, that others have too

ROUTES = pl.DataFrame({"origin": ["JFK", "LGA", "EWR"], "miles": [100, 250, 90], "open": [True, None, False]})


class World:
    """Writes versions the way steps do."""

    def __init__(self) -> None:
        settings = current_settings()
        self.catalog: Catalog = open_catalog(settings.catalog)
        self.store: Store = open_store(settings.store)

    def write(self, asset: str, value: object, partition: str = "", namespace: Namespace = TESS) -> Version:
        draft = write_version(self.store, value, Target(namespace, asset, partition))
        (version,) = self.catalog.commit(namespace, [draft])
        return version


def month(key: str, **more: object) -> pl.DataFrame:
    return pl.DataFrame(
        {"month": [key] * 3, "day": [1, 2, 3], "origin": ["JFK", "JFK", "LGA"], "delay": [5, None, 30], **more}
    )


def fill(world: World) -> None:
    """Routes of production, and two months of days of which Tess has another second one."""
    world.write("flights/routes", ROUTES, namespace=PRODUCTION)
    world.write("flights/days", month("2013-01"), "2013-01", PRODUCTION)
    world.write("flights/days", month("2013-02"), "2013-02", PRODUCTION)
    world.catalog.open_namespace(TESS, owner="tess")
    world.write("flights/days", month("2013-02", delay=[100, 100, 100]), "2013-02")
    world.write("flights/model", {"weights": [1, 2]})


@pytest.fixture
def double(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Double:
    """AWS: the store is a bucket, and what is asked of Athena is done."""
    name = request.getfixturevalue("bucket")
    monkeypatch.setenv("HEADRACE_STORE", f"s3://{name}/some/prefix")
    monkeypatch.setenv("HEADRACE_ATHENA_DATABASE", name.replace("-", "_"))
    monkeypatch.setenv("HEADRACE_WAREHOUSE", "athena")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = install(monkeypatch)
    made.database = name.replace("-", "_")
    return made


@pytest.fixture
def world() -> World:
    opened = World()
    fill(opened)
    return opened


@pytest.fixture(params=["duckdb", "athena"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    """Each engine, over the same tables."""
    if request.param == "athena":
        request.getfixturevalue("double")
    request.getfixturevalue("world")
    return warehouse_here()
