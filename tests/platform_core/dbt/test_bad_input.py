"""Bad SQL: one sentence with file and line, and the namespace as it was."""

from pathlib import Path

import dagster as dg
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.dbt.assets import dbt_models
from platform_core.errors import DefinitionError
from tests.platform_core.dbt.conftest import loaded, make_project
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run, sentence

MONTHS = dg.StaticPartitionsDefinition(["2013-01"])


def test_sql_that_cannot_run_and_a_type_that_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalog: Catalog
) -> None:
    files = {
        "models/shop/good.sql": "select 1 as id",
        "models/shop/typo.sql": "select 1 as id,\n    {{ 'two' }}\nfrom from here",
        "models/shop/misspelt.sql": "with a as (\n    select 1 as id\n)\n\nselect idd from a",
        "models/shop/wide.sql": "select\n    1 as id,\n    interval 1 day as total",
        "models/shop/after.sql": "select * from {{ ref('wide') }}",
    }
    told = sentence(run(loaded(make_project(tmp_path / "repository", files), monkeypatch)))
    assert 'typo (models/shop/typo.sql:3): Parser Error: syntax error at or near "from"' in told
    assert "misspelt (models/shop/misspelt.sql:5): Binder Error: Referenced column" in told
    assert "wide (models/shop/wide.sql:3): column total is of type INTERVAL, and the store cannot hold INTERVAL" in told
    assert "\n" not in told
    assert {item.version.asset for item in catalog.current(TESS)} == {"shop/good"}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"a.sql": "select *\nfrom {{ ref('b') }}", "b.sql": "select *\nfrom {{ ref('a') }}"},
            "its models read each other in a circle: a (models/shop/a.sql:2) -> b (models/shop/b.sql:2) -> a.",
        ),
        (
            {"a.sql": "select *\n\nfrom {{ source('shop', 'nothing') }}"},
            "'model.headrace.a' (models/shop/a.sql:3) depends on a source named 'shop.nothing' which was not found",
        ),
    ],
)
def test_a_project_that_does_not_hold_together(
    files: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make_project(tmp_path / "repository", {f"models/shop/{name}": text for name, text in files.items()})
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(repository))
    with pytest.raises(DefinitionError) as raised:
        dbt_models("shop")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_models_say_whether_they_have_partitions(sql: dg.AssetsDefinition) -> None:
    with pytest.raises(DefinitionError, match=r"names no column in meta.partition_by, but dbt_models gives it parti"):
        dbt_models("shop", MONTHS)
    with pytest.raises(DefinitionError, match=r"nothing is selected by fqn:headrace.shop,tag:x"):
        dbt_models("shop", select="tag:x")
