"""`headrace export`: what was computed, in other people's tools."""

from dataclasses import asdict

import click

from platform_core.catalog.names import named_version
from platform_core.catalog.opening import open_catalog
from platform_core.cli.console import console, print_json, several
from platform_core.errors import ExportError, NotFoundError
from platform_core.exporting.mlflow import Exported, MLflowExport
from platform_core.settings import current_settings
from platform_core.store.opening import open_store


@click.group()
def export() -> None:
    """Shows versions to other tools.

    Example: headrace export mlflow delay_model@champion --to http://mlflow:5000
    """


@export.command()
@click.argument("versions", nargs=-1)
@click.option("--sweep", help="A sweep with all its trials; a part of its id will do.")
@click.option("--to", "uri", envvar="MLFLOW_TRACKING_URI", required=True, help="http://…, sqlite:///… or a folder.")
@click.option("--experiment", default="", help="Its name; by default that of the asset.")
@click.option("--partition", "-p", default=None, help="The partition, where a name has no @VERSION.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def mlflow(
    versions: tuple[str, ...], sweep: str | None, uri: str, experiment: str, partition: str | None, *, as_json: bool
) -> None:
    """Copies VERSIONS to MLflow, each as a run: parameters, metrics, tags, figures; models with files and aliases.

    What is there already is not copied again; its tags and aliases follow ours.

    \b
    Examples:
      headrace export mlflow delay_model@champion --to http://mlflow:5000
      headrace export mlflow --sweep 4f09ac --to sqlite:///mlflow.db
    """
    if not (versions or sweep):
        raise NotFoundError("Name versions as ASSET@VERSION, or a --sweep.")
    settings = current_settings()
    catalog, namespace = open_catalog(settings.catalog), settings.writes_to
    wanted = [named_version(catalog, namespace, name, partition) for name in versions]
    found = catalog.sweep(sweep) if sweep else None
    try:
        exporting = MLflowExport(catalog, open_store(settings.store), namespace, uri, experiment)
        done = [exporting.version(version) for version in wanted]
        done += exporting.sweep(found) if found else []
    except Exception as error:
        if not type(error).__module__.startswith("mlflow"):
            raise
        raise ExportError(f"MLflow at {uri} did not take it: {str(error).strip().splitlines()[0]}") from error
    _print(done, uri, as_json)


def _print(done: list[Exported], uri: str, as_json: bool) -> None:
    if as_json:
        print_json([asdict(item) for item in done])
        return
    for item in done:
        known = "" if item.new else ", which was there"
        console.print(f"{item.label} is run {item.run}{known}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"[green]✓[/] {several(len(done), 'run')} in {uri}.", highlight=False, soft_wrap=True)
