"""What a reviewer of a branch is told, here or in its pull request."""

import sys
from collections.abc import Sequence

import click

from platform_core.branches.deployment import Deployment
from platform_core.branches.pending import Wanted
from platform_core.branches.plan import BranchPlan
from platform_core.branches.pull_requests import GitHub
from platform_core.branches.report import as_markdown, marker
from platform_core.catalog.catalog import Catalog
from platform_core.cli.branch_answers import ask_dagster, assess, chosen
from platform_core.cli.branch_diff import compared_with_production
from platform_core.cli.console import console, several


@click.command()
@click.argument("name", required=False, default="")
@click.option("--commit", default="", help="Also sets the status `headrace` of this commit on GitHub.")
@click.option("--repository", default="", help="OWNER/NAME on GitHub; by default GITHUB_REPOSITORY.")
def check(name: str, commit: str, repository: str) -> None:
    """Says whether the branch could be promoted as it is: everything computed, checks passed, production unmoved.

    Example: headrace branch check new-engine --commit "$GITHUB_SHA"
    """
    catalog, found = chosen(name)
    _, left = assess(catalog, found)
    reasons = [f"{several(len(left), 'asset')} still to compute"] if left else _reasons(found)
    if commit:
        told = reasons[0] if reasons else "It can be promoted as it is."
        GitHub.here(repository).set_status(commit, "failure" if reasons else "success", told)
    for reason in reasons:
        console.print(f"[red]✗[/] {reason}", highlight=False, soft_wrap=True)
    if not reasons:
        console.print(f"[green]✓[/] {found.namespace} can be promoted as it is.", highlight=False)
    sys.exit(1 if reasons else 0)


@click.command()
@click.argument("name", required=False, default="")
@click.option(
    "--pull-request", "number", type=int, default=None, help="Writes it there, as one comment kept up to date."
)
@click.option("--repository", default="", help="OWNER/NAME on GitHub; by default GITHUB_REPOSITORY.")
def comment(name: str, number: int | None, repository: str) -> None:
    """Reports, as Markdown, what the branch changed and what that did to the data.

    Example: headrace branch comment new-engine --pull-request 42
    """
    catalog, found = chosen(name)
    text = _report(catalog, found, *assess(catalog, found))
    if number is None:
        click.echo(text)
        return
    address = GitHub.here(repository).put_comment(number, marker(found.namespace), text)
    console.print(f"[green]✓[/] {address}", highlight=False)


def _report(catalog: Catalog, found: Deployment, plan: BranchPlan, left: Wanted) -> str:
    compared = compared_with_production(catalog, found)
    return as_markdown(found.namespace, plan, left, compared, [] if left else _reasons(found))


def _reasons(found: Deployment) -> Sequence[str]:
    """Why it cannot be promoted by its own code."""
    return list(ask_dagster(found, "candidates", code=found.code)["reasons"])
