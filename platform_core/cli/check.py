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
from platform_core.contracts import agreed, broken_between, read_contract, write_contract
from platform_core.environments.findings import notes_on, problems_of
from platform_core.locations import Location, all_locations, find_location
from platform_core.settings import current_settings

Described = dict[str, Any]


@click.command()
@click.option("--location", "-l", help="Only this location.")
@click.option("--accept", is_flag=True, help="Take what locations publish to each other at present as agreed.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(location: str | None, accept: bool, as_json: bool) -> None:
    """Loads the definitions of every location, without running anything, and reports what does not hold.

    What one location reads of another is held to the contract in the other's folder: a column that is gone or
    narrower, a key that is gone, or new missing values are refused with the names of those who read it.

    \b
    Examples:
      headrace check
      headrace check --location flights
      headrace check --accept
    """
    if accept and location:
        raise click.UsageError("--accept looks at all locations; leave --location out.")
    locations = [find_location(location)] if location else all_locations()
    names = [item.name for item in locations]
    with ThreadPoolExecutor(max_workers=2) as pool:
        notes = pool.map(notes_on, names)  # first: it mostly waits for an index
        described = dict(zip(names, pool.map(describe, locations), strict=True))
    problems = [problem for report in described.values() for problem in report["problems"]]
    problems += shared_keys(described)
    if not location:
        problems += between(described, accept=accept)
    told = [note for location in notes for note in location]
    told += [note for report in described.values() for note in report.get("notes", ())]
    if as_json:
        print_json({"locations": described, "problems": problems, "notes": told})
    else:
        _print(described, problems, told)
    sys.exit(1 if problems else 0)


def describe(location: Location) -> Described:
    """What a location declares, with the sentence of what refused to load among `problems`."""
    described: Described = {"assets": [], "problems": problems_of(location.name)}
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


def between(described: dict[str, Described], *, accept: bool = False) -> list[str]:
    """What does not hold between locations. Nothing is said while one of them does not load: all else follows."""
    if any(report["problems"] for report in described.values()):
        return []
    folders = {name: current_settings().repository / "code_locations" / name for name in described}
    if accept:
        for name, folder in folders.items():
            write_contract(folder, agreed(described, name))
    return list(broken_between(described, {name: read_contract(folder) for name, folder in folders.items()}))


def _print(described: dict[str, Described], problems: list[str], notes: list[str]) -> None:
    for location, report in described.items():
        if not report["problems"]:
            parts = [several(len(report["assets"]), "asset"), several(report["checks"], "check")]
            parts += [several(len(report[kind]), kind[:-1]) for kind in ("schedules", "sensors")]
            console.print(f"[green]✓[/] {location}: {', '.join(parts)}", highlight=False)
    for note in notes:
        console.print(f"[yellow]![/] {escape(note)}", highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
