"""`headrace branch diff`: what a branch did to the data."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.markup import escape

from platform_core.branches.comparison import AssetComparison, compare
from platform_core.branches.deployment import Deployment
from platform_core.branches.html_report import html_report
from platform_core.branches.report import asset_markdown, changed_row, matched_sentence, side_by_side, value
from platform_core.catalog.catalog import Catalog
from platform_core.cli.branch_answers import chosen, verdicts_of
from platform_core.cli.console import console, count, print_json, several, table
from platform_core.store.opening import open_store


@click.command()
@click.argument("name", required=False, default="")
@click.option("--markdown", is_flag=True, help="As Markdown, for a pull request.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="As one HTML file with pictures.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def diff(name: str, markdown: bool, html: Path | None, as_json: bool) -> None:
    """Shows what the branch did to the data: for each asset that it computed, against what production shows.

    Example: headrace branch diff new-engine --html report.html
    """
    catalog, found = chosen(name)
    compared = compared_with_production(catalog, found)
    if html is not None:
        html.write_text(html_report(found.namespace, compared), encoding="utf-8")
        console.print(f"[green]✓[/] {escape(str(html))}", highlight=False)
    if as_json:
        print_json([one.as_json() for one in compared])
    elif markdown:
        click.echo("\n\n".join(map(asset_markdown, compared)) or "The branch computed nothing.")
    elif html is None:
        _print(compared)


def compared_with_production(catalog: Catalog, found: Deployment) -> list[AssetComparison]:
    """What a branch did to the data, with what checks said of it."""
    return compare(catalog, open_store(found.settings.store), found.namespace, verdicts_of(found))


def _print(compared: Sequence[AssetComparison]) -> None:
    grid = table("asset", "production", "branch", "rows before", "rows after", right=("rows before", "rows after"))
    for one in compared:
        grid.add_row(
            one.asset, several(one.shown, "version"), f"{one.different} of {one.own} differ",
            count(one.rows_before), count(one.rows_after),
        )  # fmt: skip
    console.print(grid if compared else "The branch computed nothing.")
    for one in compared:
        for line in _lines(one):
            console.print(f"  {one.asset}: {line}", highlight=False, soft_wrap=True)


def _lines(one: AssetComparison) -> Iterator[str]:
    yield f"compute [dim]{one.spent_before} → {one.spent_after}[/]"
    for check in one.checks:
        yield f"check {escape(check.name)} [dim]{_passed(check.before)} →[/] {_passed(check.after)}"
    for name, before, after in side_by_side(one):
        yield f"{escape(name)} [dim]{escape(value(before))} → {escape(value(after))}[/]"
    if one.note:
        yield escape(one.note)
    if one.matched:
        yield escape(matched_sentence(one.matched))
        for what, sample in (("added", one.matched.samples_added), ("removed", one.matched.samples_removed)):
            yield from (f"[dim]{what} {escape(changed_row(row))}[/]" for row in sample)
        yield from (f"[dim]changed {escape(changed_row(row))}[/]" for row in one.matched.samples)


def _passed(passed: bool | None) -> str:
    return "–" if passed is None else "passed" if passed else "[red]failed[/]"
