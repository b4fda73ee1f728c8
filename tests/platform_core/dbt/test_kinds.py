"""Whatever kind of model dbt knows becomes versions, and what goes on from a version before does."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from platform_core import fact
from platform_core.catalog.catalog import Catalog
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import read_versions
from tests.platform_core.dbt.conftest import loaded, make_project
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run

KINDS = {
    "seeds/shop/kinds.csv": "id,kind\n1,apple\n2,pear\n",
    "models/shop/lent.sql": "{{ config(materialized='ephemeral') }} select * from {{ source('shop', 'sales') }}",
    "models/shop/sold.sql": """
        {{ config(materialized='table') }}
        select sales.id, kind, price from {{ ref('lent') }} sales join {{ ref('kinds') }} using (id)
    """,
    "models/shop/firsts.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id, price from {{ ref('sold') }}
        {% if is_incremental() %} where id not in (select id from {{ this }}) {% endif %}
    """,
    "models/shop/promised.sql": """
        {{ config(materialized='view', contract={'enforced': true}) }} select id, kind from {{ ref('kinds') }}
    """,
    "snapshots/shop/prices.sql": """
        {% snapshot prices %}
        {{ config(unique_key='id', strategy='check', check_cols=['price']) }} select id, price from {{ ref('sold') }}
        {% endsnapshot %}
    """,
    "models/shop/schema.yml": """
sources: [{name: shop, tables: [{name: sales}]}]
models:
  - name: promised
    columns: [{name: id, data_type: integer}, {name: kind, data_type: varchar}]
""",
}


def sales(*prices: float) -> dg.AssetsDefinition:
    @fact(key_prefix="shop")
    def sales() -> pl.DataFrame:
        return pl.DataFrame({"id": list(range(1, len(prices) + 1)), "price": list(prices)})

    return sales


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("kinds"), KINDS)


@pytest.fixture
def models(repository: Path, monkeypatch: pytest.MonkeyPatch) -> dg.AssetsDefinition:
    return loaded(repository, monkeypatch)


def rows(catalog: Catalog, asset: str) -> pl.DataFrame:
    (shown,) = catalog.resolve(TESS, asset).values()
    frame = read_versions(open_store(current_settings().store), [shown.version])
    return pl.DataFrame(frame).sort("id")


def test_every_kind_becomes_versions_that_know_code_and_inputs(models: dg.AssetsDefinition, catalog: Catalog) -> None:
    assert run(sales(1.0), models).success
    shown = {item.version.asset: item.version for item in catalog.current(TESS)}
    assert shown.keys() == {f"shop/{name}" for name in ("sales", "kinds", "sold", "firsts", "promised", "prices")}
    told = {spec.key.to_user_string(): spec.code_version for spec in models.specs}
    assert {name: shown[name].provenance.code_version for name in told} == told
    read = {item.asset for item in shown["shop/sold"].provenance.inputs}
    assert read == {"shop/sales", "shop/kinds"}  # through the ephemeral model, which is no asset


def test_what_is_incremental_goes_on_from_the_version_before(models: dg.AssetsDefinition, catalog: Catalog) -> None:
    run(sales(1.0), models)
    (first,) = catalog.resolve(TESS, "shop/firsts").values()
    run(sales(9.0, 2.0), models)
    assert rows(catalog, "shop/firsts")["price"].to_list() == [1.0, 2.0]
    (second,) = catalog.resolve(TESS, "shop/firsts").values()
    assert first.version.id in {item.version for item in second.version.provenance.inputs}
    assert first.version.provenance.code_version == second.version.provenance.code_version
    history = rows(catalog, "shop/prices").filter(pl.col("id") == 1).sort("dbt_valid_from")
    assert history["price"].to_list() == [1.0, 9.0]
    assert history["dbt_valid_to"].is_null().to_list() == [False, True]
