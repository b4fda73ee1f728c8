"""`headrace notebook`: an asset as a notebook, to work at it or to see what was executed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from platform_core.catalog.names import named_version
from platform_core.catalog.opening import open_catalog
from platform_core.cli.console import console
from platform_core.cli.conversation import converse, in_repository
from platform_core.cli.trying import location_of
from platform_core.errors import HeadraceError, NotFoundError
from platform_core.locations import Location
from platform_core.settings import current_settings
from platform_core.store.figures import read_executed
from platform_core.store.names import segment
from platform_core.store.opening import open_store

EDITORS = ("lab", "notebook")  # of Jupyter, the first that there is


@click.command()
@click.argument("asset")
@click.option("--partition", "-p", default="", help="A key or a range; without it the last one that there is.")
@click.option("--location", "-l", help="The location that has it, where its name does not say so.")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
@click.option("--again", is_flag=True, help="Make it anew, in place of one that is there.")
@click.option("--no-open", is_flag=True, help="Only write it, and print its path.")
def notebook(
    asset: str, partition: str, location: str | None, target: Path | None, *, again: bool, no_open: bool
) -> None:
    """Opens ASSET in Jupyter: its inputs are loaded, and its code is there to be changed. Nothing becomes a version.

    ASSET@VERSION is the notebook that was executed for that version, with its outputs, also when it failed.

    \b
    Examples:
      headrace notebook delay_model --partition 2013-07
      headrace notebook delay_report@7f3a9c1b2d04 --no-open
    """
    found = location_of(asset.partition("@")[0], location)
    name, content = _executed(asset, partition) if "@" in asset else _to_work_at(found, asset, partition)
    path = (target or current_settings().home / "notebooks" / f"{name}.ipynb").absolute()
    if path.exists() and not again and "@" not in asset:
        console.print("It was there already; --again makes it anew.", highlight=False)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n")
    click.echo(str(path))
    if not no_open:
        _open(found, path)


def _executed(asset: str, partition: str) -> tuple[str, dict[str, Any]]:
    settings = current_settings()
    version = named_version(open_catalog(settings.catalog), settings.writes_to, asset, partition or None)
    content = read_executed(open_store(settings.store), version)
    if content is None:
        raise NotFoundError(f"{version.label} was not computed by a notebook; leave out @ to work at its asset.")
    return f"{version.asset}-{version.id}", json.loads(content)


def _to_work_at(location: Location, asset: str, partition: str) -> tuple[str, dict[str, Any]]:
    answer, refused = None, ""
    for message in converse(location, verb="notebook", asset=asset, partition=partition):
        if message["kind"] == "notebook":
            answer = message
        elif message["kind"] == "refused":
            refused = message["sentence"]
        elif message["kind"] == "printed":
            console.print(message["line"], markup=False, highlight=False, soft_wrap=True)
    if answer is None:
        raise HeadraceError(escape(refused) or "The location ended without an answer.")
    of = "".join(f"-{segment(key)}" for key in answer["partitions"][:1])
    return f"{answer['asset']}{of}", answer["notebook"]


def _open(location: Location, path: Path) -> None:
    """Becomes Jupyter, in the environment of the location, whose kernel is the notebook's."""
    settings = current_settings()
    folder = location.interpreter.parent
    editor = next((item for item in EDITORS if (folder / f"jupyter-{item}").exists()), None)
    if editor is None:
        project = in_repository(str(location.interpreter.parents[2]))
        console.print(
            f"{location.name} has no Jupyter of its own: `uv add --project {project} --group dev jupyterlab`, then say"
            f" this again. Any other editor opens it, too, with {in_repository(str(location.interpreter))} as kernel.",
            highlight=False, soft_wrap=True, markup=False,
        )  # fmt: skip
        return
    repository = str(settings.repository)
    place = {"HEADRACE_REPOSITORY": repository, "PYTHONPATH": repository}
    command = [str(location.interpreter), "-m", "jupyter", editor, str(path)]
    sys.exit(subprocess.run(command, env={**os.environ, **place}, check=False).returncode)
