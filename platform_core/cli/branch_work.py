"""What one does on a branch: plan and run."""

import sys

import click

from platform_core.branches.pending import Wanted
from platform_core.branches.plan import BranchPlan
from platform_core.branches.report import amount
from platform_core.cli.branch_answers import assess, chosen
from platform_core.cli.branch_computing import compute
from platform_core.cli.console import console, print_json, table


@click.command()
@click.argument("name", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def plan(name: str, as_json: bool) -> None:
    """Says which assets the branch changed against production's code and why, and what has to be computed.

    Example: headrace branch plan new-engine
    """
    catalog, found = chosen(name)
    made, wanted = assess(catalog, found)
    if as_json:
        changed = {change.asset: list(change.reasons) for change in made.changed}
        print_json({"changed": changed, "affected": list(made.affected), "to_compute": wanted})
    else:
        _print_plan(made, wanted)


@click.command()
@click.argument("name", required=False, default="")
def run(name: str) -> None:
    """Computes what the branch changed and what follows from it, and reads everything else from production.

    Example: headrace branch run new-engine
    """
    catalog, found = chosen(name)
    _, wanted = assess(catalog, found)
    if not wanted:
        console.print("Nothing is left to compute: what the branch changed was computed with its code already.")
    sys.exit(0 if compute(wanted, found.variables) else 1)


def _print_plan(made: BranchPlan, wanted: Wanted) -> None:
    grid = table("asset", "change", "to compute")
    for change in made.changed:
        grid.add_row(change.asset, ", ".join(change.reasons), amount(wanted.get(change.asset)))
    for asset in made.affected:
        grid.add_row(asset, "[dim]reads what changed[/]", amount(wanted.get(asset)))
    console.print(grid if made.changed else "The branch changes no asset.")
