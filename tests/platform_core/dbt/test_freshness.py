"""What dbt's sources ask for is told of the versions that the namespace shows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.dbt.freshness import dbt_freshness
from platform_core.errors import DefinitionError
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.dbt.conftest import make_project, with_parse
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import QUIET, instance

SOURCES = """
sources:
  - name: shop
    tables:
      - name: written
        config:
          freshness: {warn_after: {count: 1, period: hour}}
          loaded_at_query: "{{ written_at() }}"
      - name: old
        config:
          freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 2, period: day}}
          loaded_at_field: loaded
      - name: older
        config:
          freshness: {warn_after: {count: 1, period: hour}, error_after: {count: 2, period: hour}}
          loaded_at_field: loaded
      - name: never_asked
"""
UNSAID = """
sources: [{name: bank, tables: [{name: raw, config: {freshness: {warn_after: {count: 1, period: day}}}}]}]
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"models/shop/sources.yml": SOURCES, "models/bank/sources.yml": UNSAID}
    return make_project(tmp_path_factory.mktemp("fresh"), files)


@pytest.fixture(autouse=True)
def parsed_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_parse(repository, monkeypatch)


def test_sources_are_as_fresh_as_the_namespace_shows_them(catalog: Catalog, store: LocalStore) -> None:
    rows = pl.DataFrame({"loaded": [datetime.now(UTC) - timedelta(hours=5)]})
    for name in ("written", "old", "older"):
        catalog.commit(TESS, [write_version(store, rows, Target(TESS, f"shop/{name}"))])

    definitions = dg.Definitions(asset_checks=[dbt_freshness("shop")])
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(run_config=QUIET, instance=instance(), raise_on_error=False)
    told = {
        item.asset_key.path[-1]: (item.passed, item.severity.value) for item in result.get_asset_check_evaluations()
    }
    assert told == {"written": (True, "ERROR"), "old": (False, "WARN"), "older": (False, "ERROR")}


def test_a_source_that_does_not_say_what_counts_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"bank.raw \(models/bank/sources.yml\) asks for freshness without"):
        dbt_freshness("bank")
