"""`headrace branch token|promote`: what was reviewed becomes production's."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from platform_core.branches.deployment import Deployment
from platform_core.branches.tokens import issue
from platform_core.cli.branch_answers import ask_dagster, chosen, merged_code
from platform_core.cli.console import console, several
from platform_core.errors import PromotionError, refusal
from platform_core.namespaces import PRODUCTION
from platform_core.settings import login

REBUILD = click.option(
    "--rebuild", is_flag=True, help="What production went on from is computed again in production, the rest promoted."
)


@click.command()
@click.argument("name", required=False, default="")
@REBUILD
def token(name: str, rebuild: bool) -> None:
    """Prints a token that lets the branch, as it is now, be promoted once within a quarter of an hour.

    Example: headrace branch promote new-engine --token "$(headrace branch token new-engine)"
    """
    _, found = chosen(name)
    ready = _require_ready(found, rebuild)
    click.echo(issue(found.settings, found.namespace, ready["digest"], login()))


@click.command()
@click.argument("name", required=False, default="")
@click.option("--token", "given", default="", help="Who may promote gives one; by default it is issued here.")
@click.option("--dry-run", is_flag=True, help="Say what would be promoted, and change nothing.")
@REBUILD
def promote(name: str, given: str, dry_run: bool, rebuild: bool) -> None:
    """Makes the versions that the branch computed production's, in one transaction and without computing anything.

    The code that is checked out here must be the code that computed them: run it after the merge, or on the branch.

    Example: headrace branch promote new-engine
    """
    _, found = chosen(name)
    if dry_run:
        ready = _require_ready(found, rebuild)
        console.print("\n".join(ready["versions"]), highlight=False, markup=False)
        _list_behind(ready["behind"])
        return
    done = ask_dagster(found, "promote", token=given, rebuild=rebuild)
    _tell(found, done)
    if done["behind"]:
        _list_behind(done["behind"])
        sys.exit(0 if _rebuilt(found, done["behind"]) else 1)


def _tell(found: Deployment, done: dict[str, Any]) -> None:
    if done["versions"]:
        console.print(
            f"[green]✓[/] {several(len(done['versions']), 'version')} of {found.namespace} are production's as of"
            f" transaction {done['transaction']}; headrace rollback --to {done['transaction'] - 1} goes back.",
            highlight=False,
            soft_wrap=True,
        )
    elif not done["behind"]:
        console.print(f"{found.namespace} has nothing that production does not show already.", highlight=False)


def _list_behind(places: Sequence[Sequence[str]]) -> None:
    for asset, partition in places:
        where = f"{asset}[{partition}]" if partition else asset
        console.print(f"{where} is computed again in production, which went on.", highlight=False, markup=False)


def _rebuilt(found: Deployment, places: Sequence[Sequence[str]]) -> bool:
    """Computes places in production, by the code that is checked out here."""
    from platform_core.branches.plan import upstream_first
    from platform_core.cli.branch_computing import compute

    merged, variables = merged_code(found, {asset for asset, _ in places})
    ordered = [asset for asset in upstream_first(merged) if any(asset == place[0] for place in places)]
    wanted = {asset: [partition for name, partition in places if name == asset] for asset in ordered}
    return compute(wanted, variables | {"HEADRACE_NAMESPACE": str(PRODUCTION)})


def _require_ready(found: Deployment, rebuild: bool) -> dict[str, Any]:
    ready = ask_dagster(found, "candidates", rebuild=rebuild)
    if ready["reasons"]:
        raise PromotionError(refusal(str(found.namespace), ready["reasons"]))
    return ready
