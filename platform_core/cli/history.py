"""`headrace diff`, `rollback`, `gc` and `fsck`: versions over time."""

import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import click
from rich.markup import escape

from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.opening import open_catalog
from platform_core.cli.console import console, count, print_json, several, size, table
from platform_core.errors import NotFoundError
from platform_core.history.diff import Change, Diff, RowChanges, declared_key, diff_versions
from platform_core.history.fsck import check_files
from platform_core.history.gc import GRACE, KEEP, collect, find_garbage
from platform_core.history.rollback import Step, plan_rollback, roll_back
from platform_core.open_tables.publishing import held_versions
from platform_core.settings import current_settings
from platform_core.store.opening import open_store

WHOLE = click.IntRange(min=0, max=100_000)


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--partition", "-p", default=None, help="The partition, where a name has no @VERSION.")
@click.option("--key", "-k", multiple=True, help="A column that identifies rows; may be given several times.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def diff(before: str, after: str, partition: str | None, key: tuple[str, ...], as_json: bool) -> None:
    """Compares two versions, each ASSET@VERSION or ASSET: schema, rows, values by key, statistics, metadata.

    Example: headrace diff weather@9f31ab20cc14 weather --partition 2013-02 --key origin --key time_hour
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    old, new = (named_version(catalog, settings.writes_to, name, partition) for name in (before, after))
    found = diff_versions(open_store(settings.store), old, new, key or declared_key(new))
    if as_json:
        print_json(asdict(found) | {"identical": found.identical})
    else:
        print_diff(found)


def print_diff(found: Diff) -> None:
    console.print(f"[red]-[/] {escape(found.before.label)}\n[green]+[/] {escape(found.after.label)}", highlight=False)
    if found.identical:
        console.print("The content is identical.")
    for title, changes in (("columns", found.columns), ("statistics", found.statistics), ("metadata", found.metadata)):
        if changes:
            console.print(f"\n[bold]{title}[/]", _changes_table(changes), sep="\n")
    if found.rows:
        _print_rows(found.rows)


def _changes_table(changes: tuple[Change, ...]) -> object:
    grid = table("", "before", "after")
    for change in changes:
        grid.add_row(escape(change.name), _value(change.before), _value(change.after))
    return grid


def _value(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))


def _print_rows(rows: RowChanges) -> None:
    console.print(
        f"\n[bold]rows by {', '.join(rows.key)}[/]: {count(rows.added)} added, {count(rows.removed)} removed,"
        f" {count(rows.changed)} changed",
        highlight=False,
    )
    for name, changed in rows.by_column.items():
        console.print(f"  {name}: {count(changed)} changed", highlight=False)
    for sample in rows.samples:
        values = [f"{k}: {v[0]} → {v[1]}" if isinstance(v, tuple) else f"{k}={v}" for k, v in sample.items()]
        console.print(f"  [dim]{escape(', '.join(values))}[/]", highlight=False)


@click.command()
@click.argument("assets", nargs=-1)
@click.option("--to", "moment", required=True, help="A transaction's number, or a time such as 2026-11-20T18:00 (UTC).")
@click.option("--yes", is_flag=True, help="Do it; without it the plan is shown and nothing is changed.")
def rollback(assets: tuple[str, ...], moment: str, yes: bool) -> None:
    """Makes the namespace show again what it showed at a moment: all of it, or only ASSETS. One transaction.

    Example: headrace rollback --to 41 delay_model delay_predictions --yes
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    names = [full_name(catalog, asset) for asset in assets]
    steps = plan_rollback(catalog, settings.writes_to, _moment(moment), names)
    if not steps:
        console.print(f"{settings.namespace} shows what it showed at {moment}; there is nothing to do.")
        return
    console.print(_steps_table(steps))
    if not yes:
        console.print(f"\n{several(len(steps), 'change')} in {settings.namespace}. Nothing was done yet; add --yes.")
        return
    number = roll_back(catalog, settings.writes_to, steps, f"back to {moment}")
    console.print(f"\n[green]✓[/] {several(len(steps), 'change')} in transaction {number}.", highlight=False)


def _moment(text: str) -> int | datetime:
    if text.isdecimal():
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotFoundError(f"'{text}' is neither a transaction nor a time; try 41 or 2026-11-20T18:00.") from error


def _steps_table(steps: list[Step]) -> object:
    grid = table("asset", "partition", "shows", "will show")
    for step in steps:
        grid.add_row(step.asset, step.partition, _short(step.before), _short(step.after))
    return grid


def _short(version: str | None) -> str:
    return version.rpartition("-")[2] if version else "nothing of its own"


@click.command()
@click.option("--delete", is_flag=True, help="Do it; without it nothing is changed.")
@click.option("--keep-days", type=WHOLE, default=KEEP.days, show_default=True, help="What was current so lately stays.")
@click.option(
    "--grace-hours", type=WHOLE, default=GRACE // timedelta(hours=1), show_default=True, help="Younger files stay."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def gc(delete: bool, keep_days: int, grace_hours: int, as_json: bool) -> None:
    """Removes versions that no namespace can reach any more, and files of interrupted writes.

    Example: headrace gc --keep-days 90 --delete
    """
    settings = current_settings()
    catalog, store = open_catalog(settings.catalog), open_store(settings.store)
    held = held_versions(catalog.assets())
    garbage = find_garbage(catalog, store, timedelta(days=keep_days), timedelta(hours=grace_hours), held)
    gone = list(collect(catalog, store, garbage)) if delete else []
    if as_json:
        print_json({"versions": [v.label for v in garbage.versions], "folders": garbage.folders, "deleted": gone})
        return
    found = f"{several(len(garbage.versions), 'version')} ({size(garbage.bytes)})"
    console.print(f"Out of reach: {found}; left by interrupted writes: {several(len(garbage.folders), 'folder')}.")
    console.print(f"Deleted {several(len(gone), 'folder')}." if delete else "Nothing was deleted; add --delete.")


@click.command()
@click.argument("assets", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def fsck(assets: tuple[str, ...], as_json: bool) -> None:
    """Reads every file of every version, or of ASSETS, and reports those that are not what was committed.

    Example: headrace fsck delay_model
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    names = [full_name(catalog, asset) for asset in assets]
    found = check_files(catalog, open_store(settings.store), names)
    if as_json:
        print_json(asdict(found))
    else:
        for problem in found.problems:
            console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
        colour = "red" if found.problems else "green"
        text = f"{several(found.versions, 'version')}, {size(found.bytes)}, {several(len(found.problems), 'problem')}"
        console.print(f"[{colour}]{text}[/]", highlight=False)
    sys.exit(1 if found.problems else 0)
