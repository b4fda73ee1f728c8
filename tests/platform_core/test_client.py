"""Versions from a notebook."""

from typing import Any

import polars as pl
import pytest

from platform_core import client
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import ROW_KEY
from platform_core.errors import NotFoundError
from platform_core.namespaces import PRODUCTION
from platform_core.store.local import LocalStore
from tests.platform_core.history.values import Writer, orders


@pytest.fixture
def write(catalog: Catalog, store: LocalStore) -> Writer:
    return Writer(catalog, store)


def test_assets_are_listed_with_what_there_is_of_them(write: Writer) -> None:
    write(orders(), "shop/orders", "2026-01", namespace=PRODUCTION)
    write(orders(), "shop/orders", "2026-02")
    (row,) = client.assets().iter_rows(named=True)
    assert (row["asset"], row["partitions"], row["rows"]) == ("shop/orders", 2, 6)
    assert row["shown_by"] == "production, user/tess"


def test_versions_come_with_their_metrics(write: Writer) -> None:
    write({"w": 1}, "shop/model", roc_auc=0.7)
    write({"w": 2}, "shop/model", roc_auc=0.8, rows_test=9)
    frame = client.versions("model")
    assert frame["roc_auc"].to_list() == [0.8, 0.7]
    assert frame["current"].to_list() == [True, False]
    assert frame["rows_test"].to_list() == [9, None]


def test_an_asset_loads_as_a_whole_by_partition_and_by_version(write: Writer) -> None:
    first = write(orders(), "shop/orders", "2026-01")
    write(orders(price=[1.0, 1.0, 1.0]), "shop/orders", "2026-01")
    write(orders(), "shop/orders", "2026-02")
    assert len(client.load("orders")) == 6
    assert client.load("orders", partition="2026-01")["price"].sum() == 3.0
    assert client.load(f"orders@{first.id}")["price"].sum() == 60.0
    assert isinstance(client.load("orders", kind=pl.LazyFrame), pl.LazyFrame)


def test_two_versions_are_compared_by_their_declared_key(write: Writer) -> None:
    declared: dict[str, Any] = {ROW_KEY: "id"}
    first = write(orders(), **declared)
    write(orders(price=[10.0, 20.0, 31.0]), **declared)
    rows = client.compare(f"orders@{first.id}", "orders").rows
    assert rows is not None
    assert (rows.key, rows.changed) == (("id",), 1)


def test_unknown_names_get_a_sentence(write: Writer) -> None:
    write(orders())
    with pytest.raises(NotFoundError, match=r"No asset 'order' was ever materialised here. Did you mean orders"):
        client.load("order")
    with pytest.raises(NotFoundError, match="shows no version of partition 2026-09 of shop/orders"):
        client.load("orders", partition="2026-09")
