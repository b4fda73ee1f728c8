"""`headrace cost`: what computing took and cost, by team, asset, month or namespace."""

import re
from typing import cast

import click
from rich.markup import escape

from platform_core.catalog.opening import open_catalog
from platform_core.cli.console import console, print_json, print_whole, table
from platform_core.costs import WAYS, By, Spending, spending
from platform_core.locations import owners
from platform_core.settings import current_settings

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@click.command()
@click.option(
    "--by", "ways", type=click.Choice(WAYS), multiple=True, default=("team",), show_default=True,
    help="May be given several times.",
)  # fmt: skip
@click.option("--since", default="", help="The first month that counts, such as 2026-10.")
@click.option("--namespace", default="", help="Only what was computed in this one, not in all of them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with seconds.")
def cost(ways: tuple[str, ...], since: str, namespace: str, as_json: bool) -> None:
    """Shows what the steps behind the versions that there are took and cost, of all namespaces.

    A step costs its processors, memory and GPUs, as its Compute says, for the time it took, by HEADRACE_PRICES. What
    was promoted counts where it was computed.

    \b
    Examples:
      headrace cost
      headrace cost --by team --by month --since 2026-10
      headrace cost --by asset --namespace production --json
    """
    if since and not _MONTH.fullmatch(since):
        raise click.BadParameter(f"'{since}' is no month; write one such as 2026-10.", param_hint="--since")
    by = cast(tuple[By, ...], tuple(dict.fromkeys(ways)))
    usage = [
        item
        for item in open_catalog(current_settings().catalog).usage()
        if item.month >= since and namespace in ("", item.namespace)
    ]
    found = spending(usage, by, owners())
    if as_json:
        print_json([dict(zip(by, one.keys, strict=True)) | {"seconds": one.seconds, "cost": one.cost} for one in found])
    elif found:
        _print(found, by)
    else:
        console.print("No version says what it took.")


def _print(found: list[Spending], by: tuple[By, ...]) -> None:
    grid = table(*by, "hours", "cost", right=("hours", "cost"))
    for one in found:
        grid.add_row(*map(escape, one.keys), f"{one.seconds / 3600:,.2f}", _money(one.cost))
    print_whole(grid)
    if any(one.cost is None for one in found):
        console.print("Without a price there is no cost: set HEADRACE_PRICES, or Profile(price_per_cpu_hour=...).")


def _money(cost: float | None) -> str:
    return "–" if cost is None else f"{cost:,.2f}"
