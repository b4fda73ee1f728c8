"""`headrace alias` and `headrace card`: which version of a model has which name, and what is known of it."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.markdown import Markdown
from rich.markup import escape

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Alias, AliasMove
from platform_core.cli.console import console, print_json, several, table
from platform_core.errors import NotFoundError
from platform_core.settings import current_settings
from platform_core.store.figures import kind_of, read_figures
from platform_core.store.opening import open_store
from platform_core.tracking.cards import card_of


@click.group()
def alias() -> None:
    """Names of versions such as champion, of this namespace or its parent; ASSET@NAME works wherever ASSET@ID does."""


@alias.command("set")
@click.argument("moves", nargs=-1, required=True)
@click.option("--why", default="", help="Kept with it.")
@click.option("--partition", "-p", default=None, help="The partition, where an asset has no @VERSION.")
def set_(moves: tuple[str, ...], why: str, partition: str | None) -> None:
    """Gives names to versions in one transaction: MOVES are NAME=ASSET@VERSION, or NAME=ASSET for the current one.

    \b
    Examples:
      headrace alias set champion=delay_model@7f3a9c1b2d04 --why "0.02 better, and calibrated"
      headrace alias set champion=delay_model@challenger challenger=delay_model@champion
    """
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    wanted = []
    for name, text in map(_named, moves):
        version = named_version(catalog, namespace, text, partition)
        wanted.append(AliasMove(version.asset, name, version.id))
    number = catalog.move_aliases(namespace, wanted, why, _seen(catalog, wanted))
    for move in wanted:
        console.print(f"{escape(move.asset)}@{move.name} is {move.version}", highlight=False, soft_wrap=True)
    console.print(f"[green]✓[/] {several(len(wanted), 'alias', 'aliases')} in transaction {number}.", highlight=False)


def _named(text: str) -> tuple[str, str]:
    name, separator, version = text.partition("=")
    if not (name and separator and version):
        raise NotFoundError(f"'{text}' says no alias; write NAME=ASSET@VERSION.")
    return name, version


def _seen(catalog: Catalog, moves: list[AliasMove]) -> dict[tuple[str, str], str | None]:
    """What the names mean at present: when somebody else moves one meanwhile, nothing is changed."""
    namespace = current_settings().writes_to
    now = {
        (a.asset, a.name): a.version for asset in {m.asset for m in moves} for a in catalog.aliases(namespace, asset)
    }
    return {(move.asset, move.name): now.get((move.asset, move.name)) for move in moves}


@alias.command()
@click.argument("asset")
@click.argument("names", nargs=-1, required=True)
@click.option("--why", default="", help="Kept with it.")
def remove(asset: str, names: tuple[str, ...], why: str) -> None:
    """Takes NAMES away from versions of ASSET in this namespace, which then shows its parent's.

    Example: headrace alias remove delay_model challenger
    """
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    full = full_name(catalog, asset)
    own = {item.name for item in catalog.aliases(namespace, full) if item.shown_by == str(namespace)}
    if missing := [name for name in names if name not in own]:
        raise NotFoundError(f"{namespace} has no alias '{missing[0]}' of {full} of its own.")
    number = catalog.move_aliases(namespace, [AliasMove(full, name, None) for name in names], why)
    console.print(f"[green]✓[/] {several(len(names), 'alias', 'aliases')} taken away in transaction {number}.")


@alias.command("list")
@click.argument("asset")
@click.option("--history", is_flag=True, help="Everything that they ever meant: who said so, when and why.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(asset: str, history: bool, as_json: bool) -> None:
    """Lists the names of versions of ASSET, or their history.

    Example: headrace alias list delay_model --history
    """
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    full = full_name(catalog, asset)
    found = catalog.alias_history(namespace, full) if history else catalog.aliases(namespace, full)
    if as_json:
        print_json([asdict(item) for item in found])
    elif found:
        console.print(_table(found))
    else:
        console.print(f"No version of {full} has a name.", highlight=False)


def _table(found: list[Alias]) -> object:
    grid = table("alias", "version", "namespace", "by", "at", "why")
    for item in found:
        at = f"{item.at:%Y-%m-%d %H:%M}"
        grid.add_row(item.name, item.version or "none", item.shown_by, item.author, at, escape(item.why))
    return grid


@click.command()
@click.argument("model")
@click.option("--partition", "-p", default=None, help="The partition, where MODEL has no @VERSION.")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Write it there as card.md, with its figures.")
@click.option("--markdown", is_flag=True, help="As Markdown, for a file or a pull request.")
def card(model: str, partition: str | None, folder: Path | None, markdown: bool) -> None:
    """Shows the card of MODEL: data, features with versions, parameters, metrics by segment, checks, limits, owner.

    \b
    Examples:
      headrace card delay_model@champion
      headrace card delay_model@7f3a9c1b2d04 --to cards/7f3a
    """
    catalog, namespace = open_catalog(current_settings().catalog), current_settings().writes_to
    version = named_version(catalog, namespace, model, partition)
    text = card_of(catalog, namespace, version)
    if folder is not None:
        figures = read_figures(open_store(current_settings().store), version)
        console.print(f"[green]✓[/] {_write(folder, text, figures)}", highlight=False, soft_wrap=True)
    elif markdown:
        click.echo(text, nl=False)
    else:
        console.print(Markdown(text))


def _write(folder: Path, text: str, figures: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {f"figure-{number}.{kind_of(drawn)}": drawn for number, drawn in enumerate(figures.values(), 1)}
    for name, drawn in pictures.items():
        (folder / name).write_bytes(drawn)
    shown = [f"\n![{title}]({name})\n" for title, name in zip(figures, pictures, strict=True)]
    (folder / "card.md").write_text(text + ("\n## Figures\n" + "".join(shown) if shown else ""))
    return folder / "card.md"
