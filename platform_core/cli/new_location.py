"""`headrace new-location`: a folder for a team, which runs at once."""

import click

from platform_core.cli.console import console
from platform_core.cli.conversation import in_repository
from platform_core.cluster.production import FOLDER
from platform_core.errors import DefinitionError
from platform_core.scaffolding.creation import create
from platform_core.scaffolding.location import NewLocation
from platform_core.settings import current_settings


@click.command("new-location")
@click.argument("name")
@click.option("--owner", required=True, help="The team that answers for it: team:<name>.")
@click.option("--description", default="", help="What it is about, in a sentence.")
def new_location(name: str, owner: str, description: str) -> None:
    """Makes code_locations/NAME: a fact, a feature, their schemas and tests, with a lock file and an environment.

    It is added to workspace.yaml and can be run at once; all of it is to be replaced by the team's own.

    Example: headrace new-location demand_forecast --owner team:pricing
    """
    repository = current_settings().repository
    try:
        location = create(NewLocation(name, owner, description), repository)
    except DefinitionError as error:
        raise click.UsageError(str(error)) from None
    folder = in_repository(str(location.interpreter.parents[2]))
    console.print(f"[green]✓[/] {folder} is there, and listed in workspace.yaml.", highlight=False)
    for line in _what_comes_next(location.name, folder, deployed=(repository / FOLDER).is_dir()):
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def _what_comes_next(name: str, folder: str, *, deployed: bool) -> list[str]:
    lines = [
        f"Run it:     headrace run --location {name}",
        f"Change it:  {folder}/facts.py, features.py; after each save: headrace watch {name}/daily_orders",
        f"Test it:    {folder}/.venv/bin/python -m pytest {folder}/tests",
        "Check it:   headrace check",
    ]
    deploy = f"headrace image build {name} --push && headrace deploy kubernetes {name}"
    return [*lines, *([f"Deploy it:  {deploy}"] if deployed else [])]
