"""`headrace versions` and `headrace show`: what there is of an asset, and one value of it with its history."""

from dataclasses import asdict

import click
from rich.markup import escape

from platform_core.catalog.names import full_name, named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import TRIAL, Shown, Version
from platform_core.cli.console import console, count, print_json, several, size, table
from platform_core.errors import NotFoundError
from platform_core.settings import current_settings
from platform_core.store.opening import open_store


@click.command()
@click.argument("asset")
@click.option("--partition", "-p", default=None, help="Only versions of this partition.")
@click.option("--limit", "-n", default=30, show_default=True, help="At most so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def versions(asset: str, partition: str | None, limit: int, as_json: bool) -> None:
    """Lists the versions of ASSET that this namespace or its parent ever showed, newest first, the current ones with *.

    Versions that their checks refused, which nobody ever read, are listed below with the reason.

    Example: headrace versions delay_model --partition 2013-12
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    name = full_name(catalog, asset)
    history = catalog.history(settings.writes_to, name, partition, limit)
    refused = catalog.unpublished(settings.writes_to, name, partition, limit)
    if not (history or refused):
        of = f"partition {partition} of {name}" if partition else name
        raise NotFoundError(f"{settings.namespace} never showed a version of {of}; run it first: headrace run {name}")
    current = {item.version.id for item in catalog.resolve(settings.writes_to, name).values()}
    if as_json:
        never = [Shown(version, version.namespace) for version in refused]
        print_json([_as_json(item, current) for item in [*history, *never]])
        return
    if history:
        console.print(_versions_table(history, current))
    if refused:
        console.print("\n[bold]refused by their checks, or tried: never shown[/]", _refused_table(refused), sep="\n")


def _versions_table(history: list[Shown], current: set[str]) -> object:
    grid = table("version", "partition", "rows", "bytes", "namespace", "by", right=("rows", "bytes"))
    for item in history:
        version = item.version
        label = f"{version.id} *" if version.id in current else version.id
        origin = (item.shown_by, version.provenance.author)
        grid.add_row(label, version.partition, count(version.rows), size(version.bytes), *origin)
    return grid


def _refused_table(refused: list[Version]) -> object:
    grid = table("version", "partition", "rows", "reason", right=("rows",))
    for version in refused:
        trial = f"a trial ({version.metadata[TRIAL]})" if TRIAL in version.metadata else ""
        reason = version.rejected or trial or "its blocking checks did not all pass"
        grid.add_row(version.id, version.partition, count(version.rows), escape(reason))
    return grid


def _as_json(item: Shown, current: set[str]) -> dict[str, object]:
    return asdict(item.version) | {
        "shown_by": item.shown_by,
        "current": item.version.id in current,
        "rejected": item.version.rejected,
    }


@click.command()
@click.argument("asset")
@click.option("--partition", "-p", default=None, help="The current version of this partition.")
@click.option("--rows", "-n", default=5, show_default=True, help="So many rows of the head.")
@click.option("--json", "as_json", is_flag=True, help="Everything but the rows, as JSON.")
def show(asset: str, partition: str | None, rows: int, as_json: bool) -> None:
    """Shows ASSET, or ASSET@VERSION (a part of the id will do): schema, head and where it came from.

    \b
    Examples:
      headrace show delay_predictions --partition 2013-12
      headrace show delay_model@7f3a9c1b2d04
    """
    catalog = open_catalog(current_settings().catalog)
    version = named_version(catalog, current_settings().writes_to, asset, partition)
    if as_json:
        print_json(asdict(version))
    else:
        _print_version(version, rows)


def _print_version(version: Version, rows: int) -> None:
    console.print(f"[bold]{escape(version.label)}[/]", highlight=False)
    if version.rejected:
        console.print(f"[red]rejected[/] {escape(version.rejected)}", highlight=False, soft_wrap=True)
    console.print(_facts(version))
    if version.provenance.inputs:
        console.print("\n[bold]computed from[/]", _inputs(version))
    if version.format == "parquet":
        console.print("\n[bold]columns[/]", _columns(version), "\n[bold]head[/]", _head(version, rows), sep="\n")


def _facts(version: Version) -> object:
    origin, store = version.provenance, open_store(current_settings().store)
    facts = {
        "written": f"{version.created_at:%Y-%m-%d %H:%M:%S} UTC by {origin.author} to {version.namespace}",
        "transaction": str(version.transaction),
        "size": f"{size(version.bytes)} in {several(len(version.files), 'file')}"
        + (f", {count(version.rows)} rows" if version.rows is not None else ""),
        "content": version.data_version,
        "run": origin.run_id,
        "code": origin.code_version + (f" at commit {origin.git_commit[:12]}" if origin.git_commit else ""),
        "environment": origin.environment,
        "parameters": ", ".join(f"{name}={value}" for name, value in origin.parameters.items()),
        "figures": ", ".join(store.uri(file.key) for file in version.figures),
        "files": store.uri(version.files[0].key.rpartition("/")[0]),
    } | {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in version.told.items()}
    grid = table("", "")
    grid.show_header = False
    for name, value in facts.items():
        if value:
            grid.add_row(f"[dim]{escape(name)}[/]", escape(value))
    return grid


def _inputs(version: Version) -> object:
    grid = table("input", "asset", "partition", "version", "resolved from")
    for item in version.provenance.inputs:
        grid.add_row(item.name, item.asset, item.partition, item.version, item.namespace)
    return grid


def _columns(version: Version) -> object:
    grid = table("name", "type")
    for column in version.schema:
        grid.add_row(column.name, column.type)
    return grid


def _head(version: Version, rows: int) -> str:
    import polars as pl

    from platform_core.store.values import read_versions

    frame = read_versions(open_store(current_settings().store), [version], pl.LazyFrame).head(rows).collect()
    with pl.Config(tbl_rows=rows, tbl_cols=12, tbl_hide_dataframe_shape=True, tbl_width_chars=console.width):
        return escape(str(frame))
