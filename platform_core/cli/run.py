"""`headrace run`: materialises assets and shows what comes of it."""

import sys

import click

from platform_core.cli.console import console
from platform_core.cli.conversation import converse
from platform_core.cli.run_report import Report
from platform_core.errors import NotFoundError
from platform_core.locations import Location, all_locations, find_location
from platform_core.settings import current_settings


@click.command()
@click.argument("selection", required=False, default="")
@click.option("--location", "-l", help="Only this location; otherwise the one that has the assets, or all of them.")
@click.option(
    "--partition",
    "-p",
    default="",
    help="A key, a range 2013-01..2013-06, all, or latest. Without it: what is missing.",
)
def run(selection: str, location: str | None, partition: str) -> None:
    """Materialises assets: SELECTION in Dagster's syntax, with or without the location in names; nothing means all.

    \b
    Examples:
      headrace run
      headrace run departure_features --partition 2013-06
      headrace run +delay_predictions --partition latest
    """
    console.print(f"Writing to [bold]{current_settings().namespace}[/]", highlight=False)
    chosen = _chosen(location, selection)
    reports = [_run_location(item, selection, partition, alone=len(chosen) == 1) for item in chosen]
    if all(report.elsewhere for report in reports):
        raise NotFoundError(" ".join(report.elsewhere for report in reports))
    sys.exit(0 if all(report.ok for report in reports) else 1)


def _chosen(name: str | None, selection: str) -> list[Location]:
    """The locations to run. A selection that names one location's asset in full runs that location alone."""
    if name:
        return [find_location(name)]
    locations = all_locations()
    named = [item for item in locations if f"{item.name}/" in selection]
    if not locations:
        raise NotFoundError("workspace.yaml names no location.")
    return named or locations


def _run_location(location: Location, selection: str, partition: str, alone: bool) -> Report:
    report = Report(location)
    with report:
        for message in converse(location, verb="run", selection=selection, partition=partition, alone=alone):
            report.take(message)
    report.print_table()
    return report
