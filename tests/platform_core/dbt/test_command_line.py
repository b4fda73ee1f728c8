"""dbt from a shell, in the namespace of whoever calls it and from any folder."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from platform_core import fact
from platform_core.catalog.catalog import Catalog
from platform_core.settings import current_settings
from tests.platform_core.runs import run


@fact(key_prefix="shop")
def raw() -> pl.DataFrame:
    return pl.DataFrame({"id": [1, 2], "customer": ["tess", "tess"], "day": ["mon", "mon"]})


def headrace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "headrace"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.fixture
def built(sql: dg.AssetsDefinition, catalog: Catalog) -> Path:
    assert run(raw, sql).success
    return current_settings().home


def test_show_asks_what_the_namespace_shows_of_the_partitions_asked_for(built: Path) -> None:
    query = "select *, (select count(*) from headrace.partitions) as keys from {{ ref('days') }}"
    shown = headrace(built, "dbt", "-p", "a,b", "show", "--quiet", "--output", "json", "--inline", query)
    assert shown.returncode == 0, shown.stdout
    assert json.loads(shown.stdout[shown.stdout.index("{") :])["show"] == [{"day": "mon", "orders": 2, "keys": 2}]
    assert "dbt in user/tess" in shown.stderr


def test_docs_describe_what_the_namespace_shows(built: Path) -> None:
    done = headrace(built, "dbt", "docs", "generate", "--no-compile")
    assert done.returncode == 0, done.stdout
    told = json.loads((built / "dbt" / "user-tess" / "catalog.json").read_text())
    assert list(told["nodes"]["model.headrace.days"]["columns"]) == ["day", "orders"]
    assert list(told["sources"]["source.headrace.shop.raw"]["columns"]) == ["id", "customer", "day"]
