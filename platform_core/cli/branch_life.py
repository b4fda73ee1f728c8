"""The life of a branch deployment: open, list, status, sync, pin, close, expire."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.markup import escape

from platform_core.branches.deployment import Deployment
from platform_core.branches.opening import DAYS, close_branch, deploy, open_branch, ready_code
from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import NamespaceRecord
from platform_core.cli.branch_answers import chosen
from platform_core.cli.console import console, errors, print_json, several, table
from platform_core.cluster.settings import in_cluster
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import current_settings, login
from platform_core.store.opening import open_store
from platform_core.ui.address import url_of


@click.command("open")
@click.argument("name", required=False, default="")
@click.option("--user", is_flag=True, help="In your personal namespace instead of one of the branch.")
@click.option("--here", is_flag=True, help="Its code is this checkout, whatever git calls it, as in CI.")
@click.option("--again", is_flag=True, help="When it is open already, go on with it.")
@click.option("--days", default=DAYS, show_default=True, help="After so many days the janitor may close it.")
def open_(name: str, user: bool, here: bool, again: bool, days: int) -> None:
    """Opens a deployment for the git branch NAME, by default the one that is checked out. Nothing is copied.

    Example: headrace branch open new-engine
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    personal = Namespace.of_user(login()) if user else None
    opened = open_branch(catalog, settings, name, namespace=personal, here=here, again=again, days=days)
    ready_code(opened, lambda line: errors.print(f"[dim]{escape(line)}[/]", highlight=False))
    record = catalog.namespace(opened.namespace)
    deploy(opened, record.owner)
    console.print(
        f"[green]✓[/] [bold]{opened.namespace}[/] shows production as of transaction {record.pin}; its code is"
        f" {opened.code}. In the UI: {_seen_at(opened.namespace)}",
        highlight=False,
        soft_wrap=True,
    )


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(as_json: bool) -> None:
    """Lists the branch deployments.

    Example: headrace branch list
    """
    settings = current_settings()
    found = open_catalog(settings.catalog).branches()
    if as_json:
        print_json([_as_json(one, record) | {"url": _url(one)} for one, record in found])
        return
    grid = table("branch", "namespace", "owner", "opened", "last write", "expires", "in the UI")
    for one, record in found:
        state = "half closed" if record.closed_at else _day(one.expires_at) or "never"
        times = (_time(record.created_at), _time(record.last_write))
        grid.add_row(one.git_branch, one.namespace, record.owner, *times, state, _url(one))
    console.print(grid if found else "There is no branch deployment; headrace branch open makes one.")


@click.command()
@click.argument("name", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(name: str, as_json: bool) -> None:
    """Shows the deployment of the git branch NAME: its pin, what it has of its own, and how far production went on.

    Example: headrace branch status new-engine
    """
    facts = _facts(*chosen(name))
    if as_json:
        print_json(facts)
    else:
        _print_facts(facts)


@click.command()
@click.argument("name", required=False, default="")
def sync(name: str) -> None:
    """Moves the pin of a branch to what production shows now; what the branch computed stays.

    Example: headrace branch sync new-engine
    """
    catalog, found = chosen(name)
    record = catalog.sync_namespace(found.namespace)
    console.print(f"[green]✓[/] {found.namespace} shows production as of transaction {record.pin}.", highlight=False)


@click.command()
@click.argument("name", required=False, default="")
@click.option("--off", is_flag=True, help=f"Let it expire again, {DAYS} days from now.")
def pin(name: str, off: bool) -> None:
    """Keeps a branch from expiring.

    Example: headrace branch pin new-engine
    """
    catalog, found = chosen(name)
    until = datetime.now(UTC) + timedelta(days=DAYS) if off else None
    catalog.keep_branch(found.namespace, until)
    console.print(f"[green]✓[/] {found.namespace} expires: {_day(until) or 'never'}.", highlight=False)


@click.command()
@click.argument("name", required=False, default="")
@click.option("--force", is_flag=True, help="Also when its worktree holds edits that no commit has.")
def close(name: str, force: bool) -> None:
    """Ends a branch and removes what it created: its files, its Dagster instance, its worktree.

    Example: headrace branch close new-engine
    """
    catalog, found = chosen(name)
    given_up = close_branch(catalog, open_store(found.settings.store), found, force=force)
    console.print(
        f"[green]✓[/] {found.namespace} is closed; {several(given_up, 'version')} went with it.", highlight=False
    )


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
def expire(dry_run: bool) -> None:
    """Closes the branches whose time is over, but not one whose worktree holds edits that no commit has, and removes
    what interrupted commands left of others, and versions that nobody can reach.

    Example: headrace branch expire --dry-run
    """
    from platform_core.branches.janitor import sweep

    settings = current_settings()
    swept = sweep(open_catalog(settings.catalog), open_store(settings.store), settings, dry_run=dry_run)
    would = "would be" if dry_run else "is"
    for what in swept.branches:
        console.print(f"{what} {would} closed.", highlight=False)
    for folder in swept.orphans:
        console.print(f"{folder}, of a branch that is not there, {would} removed.", highlight=False, soft_wrap=True)
    for sentence in swept.kept:
        errors.print(f"[red]✗[/] {sentence}", highlight=False, soft_wrap=True)
    if not (swept.branches or swept.kept or swept.orphans):
        console.print("No branch is over.")
    sys.exit(1 if swept.kept else 0)


def _facts(catalog: Catalog, found: Deployment) -> dict[str, Any]:
    record, own = catalog.namespace(found.namespace), catalog.own_refs(found.namespace)
    since = [one for one in catalog.transactions(PRODUCTION) if record.pin is not None and one.number > record.pin]
    return {
        "branch": found.branch.git_branch,
        "namespace": str(found.namespace),
        "owner": record.owner,
        "code": str(found.code),
        "url": _url(found.branch),
        "pin": record.pin,
        "production_since": len(since),
        "own": len(own),
        "assets": sorted({ref.asset for ref in own}),
        "expires_at": found.branch.expires_at,
    }


def _print_facts(facts: Mapping[str, Any]) -> None:
    later = several(facts["production_since"], "transaction")
    lines = [
        f"[bold]{facts['branch']}[/] in {facts['namespace']}, of {facts['owner']}",
        f"code: {facts['code']}",
        f"in the UI: {facts['url']}",
        f"production as of transaction {facts['pin']}; since then it has {later} more",
        f"{several(facts['own'], 'ref')} of its own: {', '.join(facts['assets']) or 'none'}",
        f"expires: {_day(facts['expires_at']) or 'never'}",
    ]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)


def _url(one: Branch) -> str:
    return _seen_at(Namespace.parse(one.namespace))


def _seen_at(namespace: Namespace) -> str:
    if not in_cluster():
        return url_of(current_settings(), namespace)
    from platform_core.cluster.branches import url_in_cluster

    return url_in_cluster(namespace)


def _as_json(one: Branch, record: NamespaceRecord) -> dict[str, Any]:
    return asdict(one) | {name: value for name, value in asdict(record).items() if name != "name"}


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
