"""`headrace dbt`: dbt in the namespace of this process, without a thought for profiles and folders."""

import json
import os
from pathlib import Path

import click

from platform_core.cli.console import errors
from platform_core.dbt.project import dbt_environment, dbt_executable, project_folder
from platform_core.errors import SettingsError
from platform_core.settings import Settings, current_settings


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--partition", "-p", default="", help="Keys with commas in between. Without it: all there are.")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def dbt(partition: str, arguments: tuple[str, ...]) -> None:
    """Runs dbt's own command with ARGUMENTS: build, show, test, docs, source freshness and all others.

    \b
    Examples:
      headrace dbt build --select route_days+
      headrace dbt -p 2013-01,2013-02 build --select route_days
      headrace dbt show --inline "select count(*) from {{ ref('route_days') }}"
      headrace dbt docs generate
    """
    settings, program = current_settings(), dbt_executable()
    if not Path(program).is_file():
        raise SettingsError("dbt is not installed here; install it with: uv sync --locked --all-extras")
    errors.print(f"dbt in [bold]{settings.namespace}[/]", highlight=False)
    os.execve(program, [program, *arguments], dbt_environment() | _places(settings) | _asked_for(partition))


def _places(settings: Settings) -> dict[str, str]:
    """Each namespace has a folder of its own for what dbt writes, so that no two of them meet there."""
    project, written = str(project_folder()), str(settings.home / "dbt" / settings.writes_to.slug)
    usual = {
        "DBT_PROJECT_DIR": project,
        "DBT_PROFILES_DIR": project,
        "DBT_TARGET_PATH": written,
        "DBT_LOG_PATH": written,
        "HEADRACE_REPOSITORY": str(settings.repository),
    }
    return {name: os.environ.get(name, value) for name, value in usual.items()}


def _asked_for(partition: str) -> dict[str, str]:
    keys = [key.strip() for key in partition.split(",") if key.strip()]
    return {"HEADRACE_DBT_PARTITIONS": json.dumps(keys)} if keys else {}
