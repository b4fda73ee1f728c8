"""A dbt model is tried as its files are now, with its tests, and nothing is written."""

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.errors import NotFoundError
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.trying import Wish, try_asset
from platform_core.runner.watching import Watch
from platform_core.settings import current_settings
from tests.platform_core.dbt.test_building import raw
from tests.platform_core.drafts import TESS
from tests.platform_core.runner.locations import located
from tests.platform_core.runs import run

ORDERS, CUSTOMERS = "dbt_project/models/shop/orders.sql", "dbt_project/models/shop/customers.sql"


@pytest.fixture
def shop(parsed: Path, sql: dg.AssetsDefinition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own, which may be edited, in which everything was computed."""
    repository = tmp_path / "repository"
    shutil.copytree(parsed, repository)
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(repository))
    run(raw(), sql)
    return repository


@pytest.fixture
def location(sql: dg.AssetsDefinition, shop: Path) -> LoadedLocation:
    return located(sql, raw())


def tried(location: LoadedLocation, asset: str, **wish: Any) -> dict[str, Any]:
    return try_asset(location, Wish(asset, **wish))


def test_a_model_is_shown_with_its_inputs_and_tests_and_nothing_is_written(
    location: LoadedLocation, shop: Path, catalog: Catalog
) -> None:
    files = sorted(path for path in Path(current_settings().store).rglob("*") if path.is_file())
    (shop / ORDERS).write_text("select id + 5 as id, customer, day from {{ source('shop', 'raw') }}")
    before = catalog.newest_transaction()
    told = tried(location, "orders")
    assert (told["sentence"], told["rejected"], told["kept"]) == ("", "", [])
    assert told["value"]["rows"] == 2
    assert "│ 6 " in told["value"]["head"]
    assert [(item["name"], item["shown_by"], item["rows"]) for item in told["inputs"]] == [("raw", "user/tess", 2)]
    checks = {item["check"]: (item["passed"], item["severity"]) for item in told["checks"]}
    assert checks["not_null_orders_id"] == (True, "ERROR")
    assert checks["unique_orders_day"] == (False, "WARN")
    assert {part["name"] for part in told["parts"]} == {"dbt", "model", "tests"}
    assert catalog.newest_transaction() == before
    assert sorted(path for path in Path(current_settings().store).rglob("*") if path.is_file()) == files


def test_what_a_test_refuses_is_shown_with_the_reason_and_not_kept(
    location: LoadedLocation, shop: Path, catalog: Catalog
) -> None:
    (shop / ORDERS).write_text("select nullif(id, 0) as id, customer, day from {{ source('shop', 'raw') }}")
    told = tried(location, "orders", keep=True)
    assert told["sentence"] == ""
    assert told["rejected"].startswith("its test not_null_orders_id failed: Got 1 result")
    assert told["value"]["rows"] == 2
    assert told["kept"] == []
    assert catalog.unpublished(TESS, "shop/orders") == []


def test_what_is_kept_is_a_version_with_its_provenance_that_is_not_current(
    location: LoadedLocation, catalog: Catalog
) -> None:
    current = catalog.resolve(TESS, "shop/days")[""].version
    (label,) = tried(location, "days", keep=True)["kept"]
    (kept,) = catalog.unpublished(TESS, "shop/days")
    assert kept.label == label
    assert kept.provenance.code_version == current.provenance.code_version
    assert [item.asset for item in kept.provenance.inputs] == ["shop/orders"]
    assert catalog.resolve(TESS, "shop/days")[""].version == current


def test_another_version_can_be_read_and_a_variable_be_set(
    location: LoadedLocation, shop: Path, catalog: Catalog
) -> None:
    older = catalog.resolve(TESS, "shop/raw")[""].version
    run(raw(customer="bob"))
    text = "select customer from {{ source('shop', 'raw') }} where customer <> '{{ var('but', 'x') }}'"
    (shop / CUSTOMERS).write_text(text)
    assert tried(location, "customers")["value"]["columns"][0]["distinct"] == 2
    assert tried(location, "customers", parameters={"but": "tess"})["value"]["rows"] == 1
    told = tried(location, "customers", inputs={"raw": f"shop/raw@{older.id}"})
    assert told["value"]["columns"][0]["distinct"] == 1
    assert told["inputs"][0]["version"] == older.label


def test_what_cannot_be_is_a_sentence(location: LoadedLocation, shop: Path) -> None:
    (shop / ORDERS).write_text("select idd from {{ source('shop', 'raw') }}")
    told = tried(location, "orders")
    assert told["sentence"].startswith('orders (models/shop/orders.sql:1): Binder Error: Referenced column "idd" not')
    assert told["value"] is None
    assert "has no variable 'but'" in tried(location, "orders", parameters={"but": "1"})["sentence"]
    (shop / ORDERS).write_text("select {{ var('but', 1) }} as id from {{ source('shop', 'raw') }}")
    unusable = tried(location, "orders", parameters={"but": "[1"})["sentence"]
    assert "A parameter of the dbt project cannot be used: while parsing a flow sequence" in unusable
    with pytest.raises(NotFoundError, match=r"shop/days does not read 'order'\. Did you mean orders"):
        tried(location, "days", inputs={"order": "shop/raw"})


def test_a_watch_takes_what_was_saved_of_the_project(location: LoadedLocation, shop: Path) -> None:
    watched = Watch.of(location, Wish("customers"))
    assert watched.changed() == {}
    (shop / ORDERS).write_text("select * from {{ source('shop', 'raw') }} where true")
    (shop / "dbt_project/models/shop/new.sql").write_text("select 1 as one")
    assert sorted(watched.take()) == ["new.sql", "orders.sql"]
    assert watched.changed() == {}
    (shop / "dbt_project/models/shop/new.sql").unlink()
    assert watched.take() == ["new.sql"]
    assert watched.take() == []
