"""Production's tables, read by an engine that is not ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Move
from platform_core.errors import OpenTableError, SettingsError
from platform_core.history import gc
from platform_core.namespaces import PRODUCTION
from platform_core.open_tables import table as tables
from platform_core.open_tables.catalogs import open_iceberg
from platform_core.open_tables.publishing import changed_since, held_versions, publish
from platform_core.settings import Settings, current_settings
from platform_core.store.local import LocalStore
from tests.platform_core.open_tables.conftest import Write, month

SOON = timedelta(0)


def iceberg(asset: str = "shop.orders") -> Any:
    return open_iceberg(current_settings()).load_table(asset)


def read(asset: str = "shop.orders", columns: str = "month, price") -> list[tuple[Any, ...]]:
    """By DataFusion and Apache's Rust implementation of Iceberg: from the metadata on, nothing of it is ours."""
    datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")
    context = datafusion.SessionContext()
    context.register_table("t", iceberg(asset))
    rows = [row for batch in context.sql(f"select {columns} from t").collect() for row in batch.to_pylist()]
    return sorted((tuple(row.values()) for row in rows), key=str)


def test_another_engine_reads_what_production_shows(write: Write) -> None:
    write(month("a", 1.0, 2.0), "a")
    write(month("b", 3.0), "b")
    (done,) = publish(["shop/orders"])
    assert (done.added, done.removed) == (2, 0)
    assert read() == [("a", 1.0), ("a", 2.0), ("b", 3.0)]


def test_polars_reads_it_too(write: Write) -> None:
    write(month("a", 1.0), "a")
    publish(["shop/orders"])
    assert pl.scan_iceberg(iceberg()).collect().to_dicts() == [{"month": "a", "price": 1.0}]


def test_nothing_is_copied(write: Write, store: LocalStore) -> None:
    version = write(month("a", 1.0), "a")
    publish(["shop/orders"])
    (file,) = version.files
    assert iceberg().inspect.files()["file_path"].to_pylist() == [f"file://{store.uri(file.key)}"]
    assert not list((store.root / "production" / "open-tables").rglob("*.parquet"))


def test_what_was_published_is_not_published_again(write: Write) -> None:
    write(month("a", 1.0), "a")
    publish(["shop/orders"])
    assert publish(["shop/orders"]) == []


def test_a_partition_is_replaced_in_one_snapshot_and_the_history_stays(write: Write) -> None:
    write(month("a", 1.0), "a")
    write(month("b", 2.0), "b")
    publish(["shop/orders"])
    new = write(month("b", 20.0), "b")
    (done,) = publish(["shop/orders"])
    assert (done.added, done.removed) == (1, 1)
    assert read() == [("a", 1.0), ("b", 20.0)]
    before, after = iceberg().snapshots()
    assert after.summary.additional_properties["headrace.versions"] == new.id
    assert after.summary.additional_properties["headrace.transaction"] == str(new.transaction)
    old = iceberg().scan(snapshot_id=before.snapshot_id).to_arrow()
    assert sorted(old["price"].to_pylist()) == [1.0, 2.0]


def test_partitions_are_partitions(write: Write) -> None:
    for key in ("a", "b"):
        write(month(key, 1.0), key)
    publish(["shop/orders"])
    assert [field.name for field in iceberg().spec().fields] == ["month"]
    assert len(list(iceberg().scan(row_filter="month = 'a'").plan_files())) == 1


def test_a_table_without_the_key_in_a_column_has_no_partitions(write: Write) -> None:
    write(pl.DataFrame({"price": [1.0]}), "a")
    write(pl.DataFrame({"price": [2.0]}), "b")
    publish(["shop/orders"])
    assert iceberg().spec().fields == ()
    assert read(columns="price") == [(1.0,), (2.0,)]


def test_columns_come_and_go(write: Write) -> None:
    write(month("a", 1.0, city=["Oslo"]), "a")
    publish(["shop/orders"])
    write(month("b", 2.0, city=["Rome"], rank=[7]), "b")
    publish(["shop/orders"])
    assert read(columns="price, city, rank") == [(1.0, "Oslo", None), (2.0, "Rome", 7)]
    for key, price in (("a", 1.5), ("b", 2.5)):
        write(month(key, price), key)
    publish(["shop/orders"])
    assert read(columns="*") == [("a", 1.5), ("b", 2.5)]


def test_a_column_grows(write: Write) -> None:
    write(pl.DataFrame({"n": pl.Series([1], dtype=pl.Int32)}))
    publish(["shop/orders"])
    write(pl.DataFrame({"n": [2**40]}))
    publish(["shop/orders"])
    assert read(columns="n") == [(2**40,)]


def test_a_column_that_became_something_else_begins_anew(write: Write) -> None:
    write(pl.DataFrame({"n": [1]}))
    publish(["shop/orders"])
    write(pl.DataFrame({"n": ["one"]}))
    publish(["shop/orders"])
    assert read(columns="n") == [("one",)]


def test_a_column_of_two_types_is_said(write: Write) -> None:
    write(month("a", 1.0, n=[1]), "a")
    publish(["shop/orders"])
    write(month("b", 2.0, n=["one"]), "b")
    with pytest.raises(OpenTableError, match=r"shop/orders was not published .* column n is (large_)?string in some"):
        publish(["shop/orders"])
    assert read() == [("a", 1.0)]


def test_production_that_goes_back_takes_the_table_with_it(write: Write, catalog: Catalog) -> None:
    first = write(month("a", 1.0), "a")
    publish(["shop/orders"])
    write(month("a", 2.0), "a")
    publish(["shop/orders"])
    catalog.move_refs(PRODUCTION, [Move("shop/orders", "a", first.id)], kind="rollback")
    publish(["shop/orders"])
    assert read() == [("a", 1.0)]
    catalog.move_refs(PRODUCTION, [Move("shop/orders", "a", None)], kind="rollback")
    publish(["shop/orders"])
    assert read() == []


def test_objects_are_no_tables(write: Write) -> None:
    write({"weights": [1]}, asset="shop/model")
    assert publish(["shop/model"]) == []


def test_one_table_that_cannot_be_does_not_hold_back_the_others(write: Write) -> None:
    write(pl.DataFrame({"n": [timedelta(1)]}), asset="shop/durations")
    write(month("a", 1.0), "a")
    with pytest.raises(OpenTableError, match="shop/durations was not published as an open table"):
        publish(["shop/durations", "shop/orders"])
    assert read() == [("a", 1.0)]


def test_a_table_of_somebody_else_is_left_alone(write: Write) -> None:
    catalog = open_iceberg(current_settings())
    write(month("a", 1.0), "a", asset="other/x")
    publish(["other/x"])
    catalog.create_namespace("shop")
    catalog.create_table("shop.orders", schema=catalog.load_table("other.x").schema())
    write(month("a", 1.0), "a")
    with pytest.raises(OpenTableError, match=r"shop.orders is there already, of somebody else"):
        publish(["shop/orders"])


def test_what_changed_is_what_production_wrote(write: Write, catalog: Catalog) -> None:
    before = write(month("a", 1.0), "a").transaction
    write(month("a", 1.0), asset="shop/other")
    newest, assets = changed_since(before)
    assert (newest, assets) == (before + 1, ["shop/other"])


def test_files_that_a_table_shows_are_not_given_up(
    write: Write, catalog: Catalog, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write(month("a", 1.0), "a")
    publish(["shop/orders"])
    new = write(month("a", 2.0), "a")
    held = held_versions(["shop/orders"])
    assert held == {old.id}
    assert gc.find_garbage(catalog, store, SOON, SOON, held).versions == ()
    publish(["shop/orders"])  # production's history is read for as long as gc keeps it
    assert held_versions(["shop/orders"]) == {old.id, new.id}
    monkeypatch.setattr(tables, "KEEP", -timedelta(minutes=1))
    write(month("b", 3.0), "b")
    publish(["shop/orders"])
    held = held_versions(["shop/orders"])
    assert old.id not in held
    assert [version.id for version in gc.find_garbage(catalog, store, SOON, SOON, held).versions] == [old.id]
    assert read() == [("a", 2.0), ("b", 3.0)]


def test_nothing_is_given_up_when_nobody_can_tell(open_tables: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(OpenTableError, match="Nothing is given up"):
        held_versions(["shop/orders"])


def test_a_catalog_that_is_none_is_said(open_tables: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_OPEN_TABLES", "yes")
    with pytest.raises(SettingsError, match="'yes' is no catalog"):
        open_iceberg(current_settings())


def test_snapshots_know_when_they_were_made(write: Write) -> None:
    write(month("a", 1.0), "a")
    publish(["shop/orders"])
    (snapshot,) = iceberg().snapshots()
    assert abs(snapshot.timestamp_ms / 1000 - datetime.now(UTC).timestamp()) < 600
