"""`headrace changed`: which locations a change touches."""

import click

from platform_core.cli.console import console, print_json, several
from platform_core.environments.changes import changed_locations


@click.command()
@click.option("--since", metavar="REV", default="origin/main", show_default=True, help="A git revision.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: by location the files.")
def changed(since: str, as_json: bool) -> None:
    """Names the locations whose code, dependencies or image differ from a git revision, uncommitted edits included.

    A file counts for the locations that import it, directly or not; so does what their lock files and images hold.

    Example: headrace changed --since origin/main
    """
    found = changed_locations(since)
    if as_json:
        print_json(found)
        return
    for location, files in found.items():
        more = "" if len(files) == 1 else f" and {several(len(files) - 1, 'other file')}"
        console.print(f"{location} [dim]{files[0]}{more}[/]", highlight=False, soft_wrap=True)
    if not found:
        console.print(f"Nothing that a location depends on changed since {since}.")
