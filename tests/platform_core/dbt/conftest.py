"""A small dbt project, parsed."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest

from platform_core.dbt.assets import dbt_models
from platform_core.dbt.project import parsed_project
from platform_core.settings import current_settings

REPOSITORY = Path(__file__).parents[3]
SHOP = {
    "models/shop/orders.sql": "select * from {{ source('shop', 'raw') }}",
    "models/shop/days.sql": "select day, count(*) as orders from {{ ref('orders') }} group by day",
    "models/shop/customers.sql": """
        select distinct customer from {{ source('shop', 'raw') }} where customer <> 'stranger'
    """,
    "models/shop/schema.yml": """
version: 2
sources: [{name: shop, tables: [{name: raw}]}]
models:
  - name: orders
    config: {meta: {layer: fact}}
    columns:
      - name: id
        data_tests: [not_null]
      - name: customer
        data_tests:
          - relationships: {arguments: {to: ref('customers'), field: customer}}
      - name: day
        data_tests: [{unique: {config: {severity: warn}}}]
  - {name: days, config: {meta: {layer: feature}}}
  - {name: customers, config: {meta: {layer: fact}}}
""",
}


def make_project(repository: Path, files: Mapping[str, str]) -> Path:
    """A repository whose dbt project has these files, and our macros. Returns the repository."""
    ours, theirs = REPOSITORY / "dbt_project", repository / "dbt_project"
    shutil.copytree(ours / "macros", theirs / "macros", dirs_exist_ok=True)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ours / name, theirs)
    for name, text in files.items():
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text(text)
    return repository


def with_parse(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works in a repository that was parsed: this takes seconds, and is the same for each test of it."""
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(repository))
    kept, home = repository / "parsed", current_settings().home / "dbt"
    if kept.is_dir():
        shutil.copytree(kept, home)
    else:
        parsed_project()
        shutil.copytree(home, kept)


def loaded(repository: Path, monkeypatch: pytest.MonkeyPatch) -> dg.AssetsDefinition:
    """The models of the shop."""
    with_parse(repository, monkeypatch)
    models = dbt_models("shop")
    described = current_settings().home / "dbt"
    shutil.copytree(described, repository / "parsed", dirs_exist_ok=True)
    return models


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("repository"), SHOP)


@pytest.fixture
def sql(parsed: Path, monkeypatch: pytest.MonkeyPatch) -> dg.AssetsDefinition:
    return loaded(parsed, monkeypatch)
