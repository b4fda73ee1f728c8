"""One dbt project twice: as it is here, in a namespace, and as plain dbt-duckdb with a database file."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import yaml

from platform_core.catalog.opening import open_catalog
from platform_core.namespaces import Namespace
from platform_core.settings import as_if_in, current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import Target, write_version

REPOSITORY = Path(__file__).resolve().parents[1]
BIN = REPOSITORY / ".venv" / "bin"
SOURCES, MODELS, ROWS = 10, 50, 1_000_000  # ten of the models read the source, and each of the others one of them
ME = Namespace("user", "bench")
MODEL = "step_11"


@dataclass(frozen=True)
class Projects:
    """Where both are, each parsed and built once, with the variables of a process that works on it."""

    ours: Path
    plain: Path
    variables: Mapping[str, str]


def projects(folder: Path) -> Projects:
    """Fifty models over a table of a million rows, ten of them on the table itself, the others on these."""
    ours, plain, rows = folder / "ours", folder / "plain", _rows()
    _write_project(ours / "dbt_project", REPOSITORY / "dbt_project")
    _write_project(plain, None)
    variables = {"HEADRACE_HOME": str(folder / "home"), "HEADRACE_NAMESPACE": str(ME), "HEADRACE_REPOSITORY": str(ours)}
    with as_if_in(variables):
        settings = current_settings()
        version = write_version(open_store(settings.store), rows, Target(ME, "shop/raw"))
        open_catalog(settings.catalog).commit(ME, [version])
    with duckdb.connect(str(plain / "plain.duckdb")) as connection:
        connection.execute("create schema shop")
        connection.register("rows", rows)
        connection.execute("create table shop.raw as from rows")
    return Projects(ours, plain, {**os.environ, **variables})


def _rows() -> pa.Table:
    draw = Random(0)
    return pa.table(
        {
            "id": range(ROWS),
            "customer": [f"customer {draw.randrange(50_000)}" for _ in range(ROWS)],
            "day": [draw.randrange(365) for _ in range(ROWS)],
            "amount": [draw.random() * 100 for _ in range(ROWS)],
        }
    )


def _write_project(folder: Path, template: Path | None) -> None:
    models = folder / "models" / "shop"
    models.mkdir(parents=True)
    for number in range(MODELS):
        (models / f"step_{number}.sql").write_text(_sql(number))
    told: list[dict[str, object]] = [
        {"name": f"step_{number}", "config": {"meta": {"layer": "feature"}}} for number in range(MODELS)
    ]
    told[0]["columns"] = [{"name": "day", "data_tests": ["not_null"]}]
    sources = [{"name": "shop", "tables": [{"name": "raw"}]}]
    (models / "schema.yml").write_text(yaml.safe_dump({"version": 2, "sources": sources, "models": told}))
    if template:
        shutil.copytree(template / "macros", folder / "macros")
        for name in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(template / name, folder)
    else:
        _write_plain_profile(folder)


def _write_plain_profile(folder: Path) -> None:
    project: dict[str, object] = {
        "name": "headrace",
        "version": "1.0",
        "profile": "plain",
        "models": {"+materialized": "table"},
    }
    output = {"type": "duckdb", "path": str(folder / "plain.duckdb"), "threads": 2}
    profile = {"plain": {"target": "here", "outputs": {"here": output}}}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))


def _sql(number: int) -> str:
    if number < SOURCES:
        return (
            "select customer, day, count(*) as orders, sum(amount) as amount"
            f" from {{{{ source('shop', 'raw') }}}} where id % {SOURCES} = {number} group by all"
        )
    return (
        f"select day, customer, orders + 1 as orders, amount * {number} as amount"
        f" from {{{{ ref('step_{number % SOURCES}') }}}} where orders < {number}"
    )


def build(projects: Projects, *, plain: bool) -> None:
    """`dbt build`, as somebody types it."""
    command = [str(BIN / "dbt")] if plain else [str(BIN / "headrace"), "dbt"]
    command += ["build", "--quiet", *(["--project-dir", ".", "--profiles-dir", "."] if plain else [])]
    folder = projects.plain if plain else projects.ours
    subprocess.run(command, cwd=folder, env=projects.variables, check=True, capture_output=True)
