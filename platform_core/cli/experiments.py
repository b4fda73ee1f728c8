"""`headrace compare`, `leaderboard`, `search` and `tag`: what was tried, and what came of it."""

from datetime import datetime
from typing import Any

import click
from rich.markup import escape

from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.searching import Search
from platform_core.catalog.values import Version
from platform_core.cli.console import console, print_json, print_whole, several, table
from platform_core.errors import NotFoundError
from platform_core.settings import current_settings
from platform_core.tracking.comparing import Columns, compared, shown
from platform_core.tracking.conditions import conditions

OF_VERSIONS = ("asset", "partition", "version", "alias", "namespace", "created_at", "author")
HIDDEN = ("git_commit", "code_version", "run_id")


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--partition", "-p", default=None, help="The partition, where a name has no @VERSION.")
@click.option("--all", "everything", is_flag=True, help="Also what is the same in all of them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compare(names: tuple[str, ...], partition: str | None, everything: bool, as_json: bool) -> None:
    """Shows versions side by side: what they are, and the parameters, metrics and tags in which they differ.

    NAMES are ASSET@VERSION, ASSET@ALIAS, or ASSET for the current one.

    Example: headrace compare delay_model@champion delay_model@7f3a9c1b2d04 delay_model
    """
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    found = compared(catalog, namespace, [named_version(catalog, namespace, name, partition) for name in names])
    if as_json:
        print_json(_rows(found))
    else:
        _print_side_by_side(found, everything)


def _rows(columns: Columns) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _print_side_by_side(columns: Columns, everything: bool) -> None:
    always = ("version", "alias", "created_at", "author")
    grid = table("", *(f"({number})" for number in range(1, len(columns["version"]) + 1)))
    for name, values in columns.items():
        if everything or name in always or len(set(map(str, values))) > 1:
            grid.add_row(f"[dim]{escape(name)}[/]", *(escape(_shown(value)) for value in values))
    print_whole(grid)


def _shown(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else shown(value)


def _search_options(command: Any) -> Any:
    options = [
        click.option(
            "--where", "-w", multiple=True, help="A condition: 'auc > 0.7', 'param.depth = 4', 'tag.good = yes'."
        ),
        click.option("--partition", "-p", default=None, help="Only versions of this partition."),
        click.option("--author", default=None, help="Only what this person computed."),
        click.option("--commit", default=None, help="Only from this git commit; its beginning will do."),
        click.option("--since", type=click.DateTime(), default=None, help="Not older than this (UTC)."),
        click.option("--until", type=click.DateTime(), default=None, help="Not younger than this (UTC)."),
        click.option("--everywhere", is_flag=True, help="Of all namespaces, not only this one and its parent."),
        click.option("--sweep", default=None, help="Only trials of this sweep."),
        click.option("--refused", is_flag=True, help="Also what checks refused."),
        click.option(
            "--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many."
        ),
        click.option("--json", "as_json", is_flag=True, help="As JSON."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("model")
@click.option("--by", required=True, help="The metric or parameter that orders them.")
@click.option("--smallest", is_flag=True, help="The smallest first, as for an error.")
@_search_options
def leaderboard(model: str, by: str, smallest: bool, as_json: bool, **given: Any) -> None:
    """Lists the versions of MODEL by a metric, the largest first, with what they were computed with.

    \b
    Examples:
      headrace leaderboard delay_model --by roc_auc
      headrace leaderboard delay_model --by brier --smallest --where 'param.depth = 4' --everywhere
    """
    found = _found(model, by=by, smallest_first=smallest, **given)
    if not found["version"]:
        raise NotFoundError(f"No version of {model} that fits has a number called '{by}'.")
    _print_found(found, as_json, first=by)


@click.command()
@click.argument("asset")
@_search_options
def search(asset: str, as_json: bool, **given: Any) -> None:
    """Lists the versions of ASSET that fit, the newest first: by parameter, metric, tag, author, commit and time.

    Example: headrace search delay_model --where 'roc_auc > 0.7' --where 'tag.quality = good' --since 2026-11-01
    """
    found = _found(asset, **given)
    if not found["version"] and not as_json:
        console.print(f"No version of {asset} fits.")
        return
    _print_found(found, as_json)


def _found(asset: str, where: tuple[str, ...], sweep: str | None, **given: Any) -> Columns:
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    named = () if sweep is None else (catalog.of_sweep(sweep),)
    wanted = Search(full_name(catalog, asset), conditions=(*conditions(where), *named), **given)
    return compared(catalog, namespace, catalog.search(namespace, wanted))


def _print_found(found: Columns, as_json: bool, first: str = "") -> None:
    if as_json:
        print_json(_rows(found))
        return
    said = [name for name in OF_VERSIONS if name != "asset" and _says_something(found[name])]
    others = [name for name in found if name not in (*OF_VERSIONS, *HIDDEN)]
    names = [*said[:1], *[name for name in others if name in (first, f"param.{first}")], *said[1:]]
    names += [name for name in others if name not in names and not name.startswith("headrace/")]
    grid = table(*names, right=[name for name in names if _has_numbers(found[name])])
    for row in zip(*(found[name] for name in names), strict=True):
        grid.add_row(*(escape(_shown(value)) for value in row))
    print_whole(grid)


def _says_something(values: list[Any]) -> bool:
    return any(value not in (None, "") for value in values)


def _has_numbers(values: list[Any]) -> bool:
    return {type(value) for value in values if value is not None} in ({int}, {float})


@click.command()
@click.argument("version")
@click.argument("tags", nargs=-1)
@click.option("--remove", multiple=True, help="A tag to withdraw; may be given several times.")
@click.option("--partition", "-p", default=None, help="The partition, where VERSION has no @ID.")
@click.option("--why", default="", help="Kept with it.")
def tag(version: str, tags: tuple[str, ...], remove: tuple[str, ...], partition: str | None, why: str) -> None:
    """Says things of VERSION in this namespace, each as NAME=VALUE; without any, shows what is said of it.

    Example: headrace tag delay_model@7f3a9c1b2d04 quality=good reviewed=no --why "looked at the calibration"
    """
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    found = named_version(catalog, namespace, version, partition)
    given = dict(_tag(text) for text in tags) | dict.fromkeys(remove)
    if given:
        number = catalog.tag(namespace, found, given, why)
        done = several(len(given), "tag")
        console.print(f"[green]✓[/] {escape(found.label)}: {done} in transaction {number}.", highlight=False)
    else:
        _print_tags(found, catalog.tags(namespace, found.asset).get(found.id, {}))


def _tag(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise NotFoundError(f"'{text}' is no tag; write NAME=VALUE.")
    return name, value


def _print_tags(version: Version, tags: dict[str, str]) -> None:
    told = ", ".join(f"{name}={value}" for name, value in tags.items()) or "no tags"
    console.print(f"{escape(version.label)}: {escape(told)}", highlight=False, soft_wrap=True)
