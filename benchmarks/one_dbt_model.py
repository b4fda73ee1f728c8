"""A program: a run of one model of a dbt project, by us or by dagster-dbt as its documentation says."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.dbt_projects import MODEL

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def by_us() -> dg.ExecuteInProcessResult:
    from platform_core.dbt.assets import dbt_models
    from platform_core.io_manager import HeadraceIOManager

    return _run(dbt_models("shop"), {"io_manager": HeadraceIOManager()})


def by_dagster_dbt() -> dg.ExecuteInProcessResult:
    from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

    project = DbtProject(project_dir=Path.cwd(), profiles_dir=Path.cwd())

    @dbt_assets(manifest=project.manifest_path, project=project)
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        yield from dbt.cli(["build"], context=context).stream()

    return _run(models, {"dbt": DbtCliResource(project_dir=project, dbt_executable=str(_executable()))})


def _executable() -> Path:
    return Path(sys.executable).parent / "dbt"


def _run(models: dg.AssetsDefinition, resources: dict[str, object]) -> dg.ExecuteInProcessResult:
    (key,) = [key for key in models.keys if key.path[-1] == MODEL]
    return dg.materialize([models], selection=[key], resources=resources, run_config=QUIET)


if __name__ == "__main__":
    run = {"headrace": by_us, "dagster-dbt": by_dagster_dbt}[sys.argv[1]]
    sys.exit(0 if run().success else 1)
