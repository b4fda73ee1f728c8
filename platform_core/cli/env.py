"""`headrace env`: the environments of locations on this machine."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.markup import escape

from platform_core.cli.console import console, errors, print_json, several, size, table
from platform_core.environments.environment import environment_of
from platform_core.environments.findings import problems_of, system_notes_on
from platform_core.environments.frozen import own_venv
from platform_core.environments.venvs import all_venvs, ready_venv, remove
from platform_core.locations import all_locations, find_location


@click.group()
def env() -> None:
    """Environments: each location's own, and those with extras that steps had made.

    Example: headrace env list
    """


@env.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_environments(as_json: bool) -> None:
    """Lists each location's own environment, with whether it is what its lock file says, and those made on demand.

    Example: headrace env list
    """
    rows = [_own(location.name) for location in all_locations()]
    rows += [
        {
            "environment": venv.marker.label,
            "python": venv.marker.python,
            "packages": len(venv.marker.packages),
            "bytes": venv.bytes,
            "used": f"{venv.used:%Y-%m-%d %H:%M}",
            "folder": str(venv.folder),
        }
        for venv in all_venvs()
    ]
    if as_json:
        print_json(rows)
        return
    grid = table("environment", "python", "packages", "size", "used", "folder", right=("packages", "size"))
    for row in rows:
        taken = size(row["bytes"]) if row["bytes"] else ""
        grid.add_row(row["environment"], row["python"], str(row["packages"] or ""), taken, row["used"], row["folder"])
    console.print(grid)
    for location in all_locations():
        _tell_what_is_missing(location.name)


def _tell_what_is_missing(location: str) -> None:
    for note in system_notes_on(location):
        errors.print(f"[yellow]![/] {escape(note)}", highlight=False, soft_wrap=True)


def _own(location: str) -> dict[str, Any]:
    """The venv in a location's folder. What it takes is not counted: it is the location's to keep."""
    environment = environment_of(location)
    state = "not installed" if not own_venv(location).is_dir() else ""
    state = state or ("not as locked" if problems_of(location) else "as locked")
    return {
        "environment": str(environment),
        "python": environment.python,
        "packages": 0,
        "bytes": 0,
        "used": state,
        "folder": str(own_venv(location)),
    }


@env.command()
@click.argument("location")
@click.option("--extra", "-e", "extras", multiple=True, help="With this extra or group; may be given several times.")
def make(location: str, extras: tuple[str, ...]) -> None:
    """Makes the environment of LOCATION that a step with these extras would run in, and prints its interpreter.

    Example: headrace env make airports --extra forecast
    """
    environment = environment_of(find_location(location).name, extras)
    _tell_what_is_missing(location)
    python = ready_venv(environment, lambda line: errors.print(f"[dim]{escape(line)}[/]", highlight=False))
    sys.stdout.write(f"{python}\n")


@env.command()
@click.option("--days", default=30, show_default=True, help="Keep what was used in so many days.")
@click.option("--yes", is_flag=True, help="Do it; without it the environments are shown and nothing is removed.")
def prune(days: int, yes: bool) -> None:
    """Removes environments with extras that no step has used for a while; the next step that wants one makes it again.

    Example: headrace env prune --yes
    """
    since = datetime.now(UTC) - timedelta(days=days)
    going = [venv for venv in all_venvs() if venv.used < since]
    for venv in going:
        console.print(f"{venv.marker.label} [dim]{size(venv.bytes)}[/]", highlight=False, soft_wrap=True)
        if yes:
            remove(venv)
    done = "removed" if yes else "would be removed; nothing was done yet, add --yes"
    console.print(f"{several(len(going), 'environment')} {done}." if going else "There is nothing to remove.")
