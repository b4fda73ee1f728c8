"""`headrace validate`: the checks that an asset declares at present, on any stored version of it."""

import sys
from typing import Any

import click
from rich.markup import escape

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.cli.console import console, errors, print_json, several
from platform_core.cli.conversation import converse
from platform_core.errors import NotFoundError
from platform_core.locations import find_location
from platform_core.settings import current_settings


@click.command()
@click.argument("asset")
@click.option("--partition", "-p", default=None, help="Of which partition; otherwise of the last, or of all history.")
@click.option("--history", is_flag=True, help="Every version that this namespace or its parent ever showed.")
@click.option("--limit", "-n", default=100, show_default=True, help="Of a history at most so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def validate(asset: str, partition: str | None, history: bool, limit: int, as_json: bool) -> None:
    """Runs the checks of ASSET, or of ASSET@VERSION, on what is stored. Nothing is computed anew, written or marked.

    With --history a rule can be tried on everything that it would have judged, before it is turned on.

    \b
    Examples:
      headrace validate departure_features --partition 2013-06
      headrace validate delay_model@7f3a9c1b2d04
      headrace validate scheduled_flights --history
    """
    catalog = open_catalog(current_settings().catalog)
    chosen = _history(catalog, asset, partition, limit) if history else [_one(catalog, asset, partition)]
    report = list(_validated(chosen))
    if as_json:
        print_json(report)
    else:
        _print(report, chosen[0].asset)
    sys.exit(1 if any(fails(item) for item in report) else 0)


def _one(catalog: Catalog, asset: str, partition: str | None) -> Version:
    return named_version(catalog, current_settings().writes_to, asset, partition)


def _history(catalog: Catalog, asset: str, partition: str | None, limit: int) -> list[Version]:
    name = full_name(catalog, asset.partition("@")[0])
    shown = catalog.history(current_settings().writes_to, name, partition, limit)
    found = {item.version.id: item.version for item in shown if item.version.forgotten_at is None}
    if not found:
        raise NotFoundError(f"{current_settings().namespace} has no version of {name} whose files are still there.")
    return sorted(found.values(), key=lambda version: (version.partition, version.transaction))


def _validated(versions: list[Version]) -> list[dict[str, Any]]:
    location = find_location(versions[0].asset.partition("/")[0])
    report = []
    for message in converse(location, verb="validate", versions=[version.id for version in versions]):
        if message["kind"] == "validated":
            report.append({name: message[name] for name in ("version", "partition", "results")})
        elif message["kind"] == "refused":
            errors.print(f"[red]✗[/] {escape(message['sentence'])}", highlight=False, soft_wrap=True)
        elif message["kind"] == "ended" and message["code"] and len(report) < len(versions):
            sys.exit(1)
    return report


def fails(item: dict[str, Any]) -> bool:
    """Whether a blocking check did not pass."""
    return any(not result["passed"] and result["severity"] == "ERROR" for result in item["results"])


def _print(report: list[dict[str, Any]], asset: str) -> None:
    for item in report:
        strange = [result for result in item["results"] if not result["passed"]]
        mark = "[red]✗[/]" if fails(item) else "[yellow]![/]" if strange else "[green]✓[/]"
        of = f"[{item['partition']}]" if item["partition"] else ""
        checks = several(len(item["results"]), "check") if item["results"] else "no checks declared"
        console.print(f"{mark} {escape(f'{asset}{of}@' + item['version'])}: {checks}", highlight=False, soft_wrap=True)
        for result in strange:
            console.print(f"    {result['check']}: {escape(result['description'])}", highlight=False, soft_wrap=True)
    failed = sum(1 for item in report if fails(item))
    if len(report) > 1:
        console.print(f"{failed} of {several(len(report), 'version')} would have been refused.", highlight=False)
