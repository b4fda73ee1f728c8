"""Open tables whose files and metadata are in S3, where other engines reach them, in every catalog there may be."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from platform_core.catalog.opening import open_catalog
from platform_core.namespaces import PRODUCTION
from platform_core.open_tables.catalogs import open_iceberg
from platform_core.open_tables.publishing import held_versions, publish
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import Target, write_version
from tests.platform_core.postgres import running_postgres
from tests.platform_core.store.conftest import bucket, s3_environment, s3_server

__all__ = ["bucket", "s3_environment", "s3_server"]  # fixtures, that others have too


@pytest.fixture(params=["sqlite", "postgresql", "rest", "glue"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, s3_server: str) -> Iterator[str]:
    """What the setting says of a catalog that is empty and answers."""
    pytest.importorskip("pyiceberg", reason="pyiceberg is not installed")
    if request.param == "postgresql":
        with running_postgres() as server:
            yield server.url
    elif request.param == "rest":
        from pyiceberg.catalog.sql import SqlCatalog

        from tests.platform_core.open_tables.rest_catalog import rest_catalog

        keys = {"s3.access-key-id": "k", "s3.secret-access-key": "s", "s3.region": "us-east-1"}
        places = {"uri": f"sqlite:///{tmp_path}/behind.db", "s3.endpoint": s3_server, **keys}
        with rest_catalog(SqlCatalog("behind", **places)) as address:
            yield address
    else:
        yield {"sqlite": f"sqlite:///{tmp_path}/tables.db", "glue": "glue"}[request.param]


def test_tables_lie_below_productions_prefix(kind: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"s3://{bucket}/some/prefix"
    monkeypatch.setenv("HEADRACE_STORE", root)
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", kind)
    settings = current_settings()
    for columns in ({"price": [1.0]}, {"price": [2.0], "seats": [3]}):
        draft = write_version(open_store(root), pl.DataFrame(columns), Target(PRODUCTION, "shop/orders"))
        (version,) = open_catalog(settings.catalog).commit(PRODUCTION, [draft])
        publish(["shop/orders"])
    table = open_iceberg(settings).load_table("shop.orders")
    assert table.metadata_location.startswith(f"{root}/production/open-tables/shop/orders/metadata/")
    assert table.scan().to_arrow().to_pylist() == [{"price": 2.0, "seats": 3}]
    assert table.inspect.files()["file_path"].to_pylist() == [f"{root}/{version.files[0].key}"]
    assert len(held_versions(["shop/orders"])) == 2
