"""`headrace namespace`: which namespaces there are, what each has of its own, and what the database must let it do."""

from dataclasses import asdict
from datetime import datetime
from itertools import groupby

import click

from platform_core.catalog.access import grants as grants_for
from platform_core.catalog.access import s3_policy
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import NamespaceRecord, Ref
from platform_core.cli.console import console, print_json, several, table
from platform_core.namespaces import Namespace
from platform_core.settings import current_settings


@click.group()
def namespace() -> None:
    """Where writes land, and what is shown there.

    Example: headrace namespace list
    """


@namespace.command("list")
@click.option("--closed", is_flag=True, help="Also those that were closed.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_namespaces(closed: bool, as_json: bool) -> None:
    """Lists all namespaces; the one that this process writes to has *.

    Example: headrace namespace list --json
    """
    settings = current_settings()
    found = open_catalog(settings.catalog).namespaces(closed=closed)
    if as_json:
        print_json([asdict(record) for record in found])
        return
    grid = table("namespace", "reads through to", "owner", "created", "last write")
    for record in found:
        here = " *" if record.name == settings.namespace else ""
        ended = f"closed {_time(record.closed_at)}" if record.closed_at else _time(record.last_write)
        grid.add_row(record.name + here, _parent(record), record.owner, _time(record.created_at), ended)
    console.print(grid)


@namespace.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every ref.")
def show(name: str | None, as_json: bool) -> None:
    """Shows NAME, by default the namespace of this process: whose it is, its pin, and what it has of its own.

    Example: headrace namespace show branch/new-engine
    """
    settings = current_settings()
    catalog, wanted = open_catalog(settings.catalog), Namespace.parse(name or settings.namespace)
    record, refs = catalog.namespace(wanted), catalog.own_refs(wanted)
    if as_json:
        print_json(asdict(record) | {"refs": [asdict(ref) for ref in refs]})
    else:
        _print(record, refs)


@namespace.command()
@click.argument("name")
@click.option("--schema", default="public", show_default=True, help="The schema of the catalog's tables.")
@click.option("--s3", is_flag=True, help="The policy for HEADRACE_STORE on S3 instead of SQL.")
@click.option("--principal", default=None, help="With --s3: whom it is for, as an ARN; makes it one for the bucket.")
def grants(name: str, schema: str, s3: bool, principal: str | None) -> None:
    """Prints what lets NAME write to itself and to nothing else: SQL for PostgreSQL, or a policy for S3.

    \b
    Examples:
      headrace namespace grants branch/new-engine | psql "$CATALOG_OF_THE_ADMINISTRATOR"
      headrace namespace grants production --s3
    """
    wanted = Namespace.parse(name)
    if s3:
        print_json(s3_policy(wanted, current_settings().store, principal))
    else:
        click.echo(grants_for(wanted, schema))


def _print(record: NamespaceRecord, refs: list[Ref]) -> None:
    console.print(f"[bold]{record.name}[/]", highlight=False)
    facts = {
        "reads through to": _parent(record),
        "owner": record.owner,
        "created": _time(record.created_at),
        "last write": _time(record.last_write),
        "closed": _time(record.closed_at),
    }
    grid = table("", "")
    grid.show_header = False
    for what, value in facts.items():
        if value:
            grid.add_row(f"[dim]{what}[/]", value)
    console.print(grid)
    console.print(f"\n[bold]{several(len(refs), 'ref')} of its own[/]", highlight=False)
    if refs:
        console.print(_refs_table(refs))


def _refs_table(refs: list[Ref]) -> object:
    """By asset: its version, or how many partitions have one."""
    grid = table("asset", "version", "transaction", right=("transaction",))
    for asset, group in groupby(refs, lambda ref: ref.asset):
        own = list(group)
        version = several(len(own), "partition") if own[0].partition else own[0].version
        grid.add_row(asset, version, str(max(ref.transaction for ref in own)))
    return grid


def _parent(record: NamespaceRecord) -> str:
    if record.parent is None or record.closed_at is not None:
        return ""
    return record.parent if record.pin is None else f"{record.parent} as of transaction {record.pin}"


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
