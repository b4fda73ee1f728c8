"""`headrace deploy`: writes what production is deployed from."""

import click

from platform_core.cli.console import console
from platform_core.cluster.production import FOLDER, write_production
from platform_core.settings import current_settings


@click.group()
def deploy() -> None:
    """What production is deployed from, written from the list of locations and from what was built.

    Example: headrace deploy kubernetes flights
    """


@deploy.command()
@click.argument("locations", nargs=-1)
def kubernetes(locations: tuple[str, ...]) -> None:
    """Writes production's manifests, with LOCATIONS (without: all) as they were last built from this code and pushed.

    \b
    Example:
      headrace image build flights --push
      headrace deploy kubernetes flights
      git commit deploy/kubernetes
      kubectl apply -k deploy/kubernetes/overlays/production/flights
    """
    rolled = write_production(current_settings().repository, locations)
    for name, image in rolled.items():
        console.print(f"[green]✓[/] {name} is {image}", highlight=False, soft_wrap=True)
    console.print(f"Written to {FOLDER}; nothing was applied.", highlight=False)
