"""Versions from a notebook."""

import subprocess
from typing import Any

import polars as pl
import pytest

from platform_core import client
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import ROW_KEY
from platform_core.errors import NotFoundError
from platform_core.namespaces import PRODUCTION
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS
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


def test_metrics_may_be_named_like_our_columns_and_change_their_type(write: Writer) -> None:
    write(orders(), rows=5, author="a model", metric=1)
    write(orders(), rows=6, metric="none")
    frame = client.versions("orders")
    assert frame["rows"].to_list() == [3, 3]
    assert frame["metadata_rows"].to_list() == [6, 5]
    assert frame["metadata_author"].to_list() == [None, "a model"]
    assert frame["metric"].to_list() == ["none", "1"]


def test_an_asset_loads_as_a_whole_by_partition_and_by_version(write: Writer) -> None:
    first = write(orders(), "shop/orders", "2026-01")
    write(orders(price=[1.0, 1.0, 1.0]), "shop/orders", "2026-01")
    write(orders(), "shop/orders", "2026-02")
    assert len(client.load("orders")) == 6
    assert client.load("orders", partition="2026-01")["price"].sum() == 3.0
    assert client.load(f"orders@{first.id}")["price"].sum() == 60.0
    assert isinstance(client.load("orders", kind=pl.LazyFrame), pl.LazyFrame)


def test_what_was_refused_loads_by_its_version_only(write: Writer, catalog: Catalog, store: LocalStore) -> None:
    write(orders(), "shop/orders")
    refused = pl.DataFrame({"wrong": [1]})
    (kept,) = catalog.reject(TESS, [write_version(store, refused, Target(TESS, "shop/orders"))], "it is wrong")
    assert client.load(kept.label).equals(refused)
    assert client.load("shop/orders").columns == orders().columns


def test_two_versions_are_compared_by_their_declared_key(write: Writer) -> None:
    declared: dict[str, Any] = {ROW_KEY: "id"}
    first = write(orders(), **declared)
    write(orders(price=[10.0, 20.0, 31.0]), **declared)
    rows = client.diff(f"orders@{first.id}", "orders").rows
    assert rows is not None
    assert (rows.key, rows.changed) == (("id",), 1)


def test_unknown_names_get_a_sentence(write: Writer) -> None:
    write(orders())
    with pytest.raises(NotFoundError, match=r"No asset 'order' was ever materialised here. Did you mean orders"):
        client.load("order")
    with pytest.raises(NotFoundError, match="shows no version of partition 2026-09 of shop/orders"):
        client.load("orders", partition="2026-09")


def test_options_of_a_sweep_may_be_mappings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "[]", "")

    monkeypatch.setattr(subprocess, "run", run)
    inputs = {"features": "features@7f3a9c1b2d04", "rows": "rows@champion"}
    client.sweep("model", grid={"depth": [2, 4]}, input=inputs, set={"seed": 1}, use_best=True)
    given = ["--grid=depth=2,4", "--input=features=features@7f3a9c1b2d04", "--input=rows=rows@champion"]
    assert asked[0][asked[0].index("model") + 1 : -1] == [*given, "--set=seed=1", "--use-best"]
