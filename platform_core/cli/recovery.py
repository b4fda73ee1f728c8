"""`headrace backup` and `headrace restore`."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from platform_core.catalog.opening import open_catalog
from platform_core.cli.console import console, print_json, several
from platform_core.history.fsck import check_files
from platform_core.instance_settings import instance_settings
from platform_core.recovery.backup import back_up
from platform_core.recovery.restore import put_back
from platform_core.settings import current_settings
from platform_core.store.opening import open_store

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def backup(folder: Path, as_json: bool) -> None:
    """Copies the catalog and Dagster's storage of all namespaces to a new FOLDER, while both are in use.

    Files of versions are not copied: they never change, and `headrace gc` keeps what was shown. Nor are keys copied.

    Example: headrace backup /backups/2026-11-21
    """
    manifest = back_up(current_settings(), instance_settings(), folder.absolute())
    if as_json:
        print_json(asdict(manifest))
    else:
        console.print(f"[green]✓[/] {several(len(manifest.files), 'file')} in {folder}", highlight=False)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--replace", is_flag=True, help="Put it in the place of what is there; files are kept beside it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def restore(folder: Path, replace: bool, as_json: bool) -> None:
    """Puts the backup in FOLDER back, and reads every file that it speaks of. Webserver and daemon must not run.

    Exit code 1 when a file is missing or is not what it was.

    \b
    Examples:
      headrace restore /backups/2026-11-21
      headrace restore /backups/2026-11-21 --replace
    """
    settings = current_settings()
    manifest, mark = put_back(settings, instance_settings(), folder.absolute(), replace=replace)
    sound = check_files(open_catalog(settings.catalog), open_store(settings.store))
    if as_json:
        print_json({"made_at": manifest.made_at, "versions": sound.versions, "problems": sound.problems})
    else:
        console.print(f"[green]✓[/] Everything is as of {manifest.made_at}.", highlight=False)
        if replace:
            console.print(f"Files that were there are kept with .{mark} in their names.", highlight=False)
        for problem in sound.problems:
            console.print(f"[red]✗[/] {problem}", highlight=False, soft_wrap=True)
        console.print(f"{several(sound.versions, 'version')} read, {several(len(sound.problems), 'problem')}.")
    sys.exit(1 if sound.problems else 0)
