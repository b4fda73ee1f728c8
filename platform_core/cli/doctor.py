"""`headrace doctor`: what is wrong with this installation."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from rich.markup import escape

from platform_core.cli.check import describe
from platform_core.cli.console import console, print_json, several
from platform_core.doctor.backends import look_at_backend
from platform_core.doctor.data import look_at_catalog, look_at_store
from platform_core.doctor.findings import Finding, fine, looked_at, wrong
from platform_core.locations import all_locations
from platform_core.settings import Settings, current_settings

_MARKS = {"fine": "[green]✓[/]", "wrong": "[red]✗[/]", "unknown": "[yellow]?[/]"}


@click.command()
@click.option(
    "--workspace", type=click.Path(dir_okay=False, path_type=Path), help="Where the code servers are, if not here."
)
@click.option("--code/--no-code", default=True, help="Whether to load the code of each location of this machine.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(workspace: Path | None, code: bool, as_json: bool) -> None:
    """Looks at catalog, store, clocks, Dagster's storage and daemon, code servers and backend. Repairs nothing.

    Exit code 1 when something is wrong.

    \b
    Examples:
      headrace doctor
      HEADRACE_NAMESPACE=production headrace doctor --workspace /etc/headrace/workspace.yaml --json
    """
    settings = current_settings()
    found = [*_data(settings), *_dagster(settings, workspace or settings.repository / "workspace.yaml")]
    found += looked_at("backend", look_at_backend)
    if code and workspace is None:
        found += looked_at("locations", _locations)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        _print(found)
    sys.exit(1 if any(one.state == "wrong" for one in found) else 0)


def _data(settings: Settings) -> list[Finding]:
    return [
        *looked_at("catalog", partial(look_at_catalog, settings)),
        *looked_at("store", partial(look_at_store, settings)),
    ]


def _dagster(settings: Settings, workspace: Path) -> list[Finding]:
    """What a process of its own finds, as loading Dagster into this one would make every command slow."""
    command = [sys.executable, "-m", "platform_core.doctor", str(workspace)]
    environment = {**os.environ, "HEADRACE_REPOSITORY": str(settings.repository)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=settings.repository, env=environment
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
        return [wrong("Dagster's storage", f"It could not be looked at: {last}")]
    return [Finding(**one) for one in json.loads(done.stdout)]


def _locations() -> Iterator[Finding]:
    for location in all_locations():
        part = f"location {location.name}"
        location.require_environment()
        problems = describe(location)["problems"]
        yield from (wrong(part, problem) for problem in problems)
        if not problems:
            yield fine(part, "Its code loads.")


def _print(found: list[Finding]) -> None:
    for one in found:
        console.print(
            f"{_MARKS[one.state]} [bold]{one.part}[/] {escape(one.sentence)}", highlight=False, soft_wrap=True
        )
    bad = sum(one.state == "wrong" for one in found)
    console.print(f"{several(bad, 'thing')} to mend." if bad else "Nothing to mend.")
