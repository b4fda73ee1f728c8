"""An edit of SQL goes from a branch into production as one of Python does."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.conftest import FLIGHTS, Headrace
from tests.end_to_end.small_repository import commit, git, small_repository
from tests.platform_core.dbt.conftest import make_project

ASSETS = '''
"""Numbers, and what is computed from them in SQL."""

import polars as pl

from platform_core import fact
from platform_core.dbt.assets import dbt_models


@fact
def numbers() -> pl.DataFrame:
    return pl.DataFrame({"number": [1, 2, 3]})


sql = dbt_models("flights")
'''
MODELS = {
    "models/flights/doubles.sql": "select number, 2 * number as double from {{ source('flights', 'numbers') }}",
    "models/flights/total.sql": "select sum(double) as total from {{ ref('doubles') }}",
    "models/flights/others.sql": "select number from {{ source('flights', 'numbers') }} where number > 1",
    "models/flights/schema.yml": """
version: 2
sources: [{name: flights, tables: [{name: numbers}]}]
models:
  - {name: doubles, config: {meta: {layer: feature}}}
  - {name: total, config: {meta: {layer: feature}}}
  - {name: others, config: {meta: {layer: feature}}}
""",
}
REFORMATTED = """
-- The larger ones.
select
    number
from {{ source('flights', 'numbers') }}
where number > 1  -- nothing else
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with SQL whose production was built, on a branch of it that is open."""
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path / "repository")
    (folder / "code_locations" / "flights" / "assets.py").write_text(ASSETS)
    make_project(folder, MODELS)
    commit(folder, "With SQL")
    told(folder, "run", namespace="production")
    git(folder, "switch", "--quiet", "--create", "new-engine")
    told(folder, "branch", "open")
    return folder


def told(folder: Path, *arguments: str, namespace: str = "user/ann") -> str:
    variables = {"HEADRACE_REPOSITORY": str(folder), "PYTHONPATH": str(folder)}
    done = Headrace(folder / ".headrace", namespace).having(**variables)(*arguments, cwd=folder)
    assert done.returncode == 0, done.stdout
    return done.stdout


def totals(folder: Path) -> list[tuple[int, str]]:
    """What production had as total, newest first, each with the run that computed it."""
    versions = Headrace(folder / ".headrace", "production").versions("total")
    tables = [pq.read_table(folder / ".headrace" / "store" / version.files[0].key) for version in versions]
    return [(t["total"][0].as_py(), v.provenance.run_id) for t, v in zip(tables, versions, strict=True)]


def test_an_edit_of_sql_is_planned_computed_and_promoted(repository: Path) -> None:
    models = repository / "dbt_project" / "models" / "flights"
    (models / "others.sql").write_text(REFORMATTED)
    assert _planned(repository) == {"changed": {}, "affected": [], "to_compute": {}}
    (models / "doubles.sql").write_text(MODELS["models/flights/doubles.sql"].replace("2 *", "20 *"))
    commit(repository, "Ten times as much, and a comment")
    assert _planned(repository) == {
        "changed": {"flights/doubles": ["code"]},
        "affected": ["flights/total"],
        "to_compute": {"flights/doubles": [""], "flights/total": [""]},
    }

    done = told(repository, "branch", "run")
    assert "✓ flights/doubles" in done
    assert "others" not in done
    assert "Nothing is left to compute" in told(repository, "branch", "run")
    ((before, _),) = totals(repository)
    assert before == 12

    git(repository, "switch", "--quiet", "main")
    git(repository, "merge", "--quiet", "new-engine")
    (ran,) = _runs_on_the_branch(repository)
    assert "2 versions of branch/new-engine are production's" in told(repository, "branch", "promote", "new-engine")
    assert totals(repository)[0] == (120, ran)
    assert len(totals(repository)) == 2


def _planned(folder: Path) -> object:
    text = told(folder, "branch", "plan", "--json")
    return json.loads(text[text.index("{") :])


def _runs_on_the_branch(folder: Path) -> set[str]:
    branch = Headrace(folder / ".headrace", "branch/new-engine")
    found = [version for asset in ("doubles", "total") for version in branch.versions(asset)]
    return {version.provenance.run_id for version in found if version.namespace == "branch/new-engine"}
