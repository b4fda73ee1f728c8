"""`headrace check`: do the definitions of every location load, and do they hold together?"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
from rich.markup import escape

from platform_core.cli.console import console, print_json, several
from platform_core.cli.conversation import converse
from platform_core.locations import Location, all_locations, find_location

Described = dict[str, Any]


@click.command()
@click.option("--location", "-l", help="Only this location.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(location: str | None, as_json: bool) -> None:
    """Loads the definitions of every location, without running anything, and reports what does not hold.

    Example: headrace check --location flights
    """
    locations = [find_location(location)] if location else all_locations()
    with ThreadPoolExecutor(max_workers=2) as pool:
        described = dict(zip((item.name for item in locations), pool.map(describe, locations), strict=True))
    problems = [problem for report in described.values() for problem in report["problems"]]
    problems += shared_keys(described)
    if as_json:
        print_json({"locations": described, "problems": problems})
    else:
        _print(described, problems)
    sys.exit(1 if problems else 0)


def describe(location: Location) -> Described:
    """What a location declares, with the sentence of what refused to load among `problems`."""
    described: Described = {"assets": [], "problems": []}
    code = 0
    for message in converse(location, verb="describe"):
        if message["kind"] == "described":
            described |= message
        elif message["kind"] == "refused":
            described["problems"].append(f"{location.name}: {message['sentence']}")
        elif message["kind"] == "ended":
            code = message["code"]
    if code and not described["problems"]:
        described["problems"].append(f"{location.name}: loading its definitions ended with code {code}.")
    return described


def shared_keys(described: dict[str, Described]) -> Iterable[str]:
    """Keys that two locations declare: Dagster would show one of them under the other's name without a word."""
    owners = defaultdict(list)
    for location, report in described.items():
        for asset in report["assets"]:
            owners[asset["key"]].append(location)
    return [
        f"{key} is declared by {' and '.join(locations)}; a key belongs to one location."
        for key, locations in owners.items()
        if len(locations) > 1
    ]


def _print(described: dict[str, Described], problems: list[str]) -> None:
    for location, report in described.items():
        if not report["problems"]:
            parts = [several(len(report["assets"]), "asset"), several(report["checks"], "check")]
            parts += [several(len(report[kind]), kind[:-1]) for kind in ("schedules", "sensors")]
            console.print(f"[green]✓[/] {location}: {', '.join(parts)}", highlight=False)
    for problem in problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
