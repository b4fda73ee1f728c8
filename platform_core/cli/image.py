"""`headrace image`: builds, lists, verifies and removes the images of environments."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click
from rich.markup import escape

from platform_core.cli.check import describe
from platform_core.cli.console import console, errors, print_json, several, size, table
from platform_core.environments.changes import changed_locations
from platform_core.environments.images.build import Built, build_image, push
from platform_core.environments.images.engine import Engine, find_engine
from platform_core.environments.images.found import Image, all_images, removable, remove
from platform_core.environments.images.names import image_of
from platform_core.environments.images.verify import problems_of
from platform_core.errors import DefinitionError, FrozenError
from platform_core.locations import all_locations, find_location


@click.group()
def image() -> None:
    """Images of the locations' environments, each with the code as it is now.

    Example: headrace image build flights
    """


@image.command()
@click.argument("locations", nargs=-1)
@click.option("--extra", "-e", "extras", multiple=True, help="Only the environment with this extra, or these.")
@click.option("--since", metavar="REV", help="Only locations that what changed since this git revision touches.")
@click.option("--network", default="", help="The network for downloads while building, such as host.")
@click.option("--no-cache", is_flag=True, help="Use nothing that earlier builds left.")
@click.option("--push", "pushed", is_flag=True, help="Send what is built to its registry, and print it by digest.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def build(
    *,
    locations: tuple[str, ...],
    extras: tuple[str, ...],
    since: str | None,
    network: str,
    no_cache: bool,
    pushed: bool,
    as_json: bool,
) -> None:
    """Builds the images of LOCATIONS (without: of all) that are not there yet, one for each environment of their steps.

    \b
    Examples:
      headrace image build
      headrace image build flights --extra train
      headrace image build --since origin/main --push
    """
    engine = find_engine()
    built = []
    for name, chosen in _environments(_wanted(locations, since), extras):
        with _progress(as_json) as say:
            done = build_image(engine, name, chosen, network=network, cache=not no_cache, say=say)
        digest = push(engine, done) if pushed else ""
        built.append(asdict(done) | {"digest": digest})
        if not as_json:
            _tell(done, digest)
    if as_json:
        print_json(built)


def _environments(names: Iterable[str], extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The environments to build: with the extras that were given, or else all that the locations' steps run in."""
    for name in names:
        yield from ((name, chosen) for chosen in ([extras] if extras else environments_asked_for(name)))


def environments_asked_for(location: str) -> list[tuple[str, ...]]:
    """The extras of each environment that the steps of a location run in, beginning with none.

    Raises:
        DefinitionError: its definitions do not load, so that nobody knows.
    """
    described = describe(find_location(location))
    if "extras" not in described:
        raise DefinitionError(" ".join(described["problems"]))
    return [(), *(tuple(extras) for extras in described["extras"])]


def _wanted(names: tuple[str, ...], since: str | None) -> list[str]:
    known = [find_location(name).name for name in names] or [location.name for location in all_locations()]
    if since is None:
        return known
    touched = changed_locations(since)
    return [name for name in known if name in touched]


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Shows the line that a build is at; where nobody watches, every line."""
    if quiet or not errors.is_terminal:
        yield (lambda _: None) if quiet else lambda line: errors.print(f"[dim]{escape(line)}[/]", highlight=False)
        return
    with errors.status("") as status:
        yield lambda line: status.update(escape(line))


def _tell(built: Built, digest: str) -> None:
    how = "was there" if built.seconds is None else f"built in {built.seconds:.0f} s"
    console.print(f"[green]✓[/] {digest or built.image} {how}", highlight=False, soft_wrap=True)


@image.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_images(as_json: bool) -> None:
    """Lists the images that the platform built, those that the code as it is now names with *.

    Example: headrace image list
    """
    images = _images(find_engine())
    if as_json:
        print_json([asdict(item) for item in images])
        return
    grid = table("image", "extras", "commit", "namespace", "size", "created", right=("size",))
    for item in images:
        name = f"{item.name} *" if item.current else item.name
        origin = (item.commit[:12], item.namespace, size(item.bytes), item.created[:16].replace("T", " "))
        grid.add_row(name, ", ".join(item.extras), *origin)
    console.print(grid)


def _images(engine: Engine) -> list[Image]:
    """The engine's images. Those with extras are current when their own extras still give their name."""
    current = {image_of(location.name) for location in all_locations()}
    known = {location.name for location in all_locations()}
    with_extras = {(item.location, item.extras) for item in all_images(engine, current) if item.extras}
    for location, extras in with_extras:
        if location in known:
            current |= _named(location, extras)
    return all_images(engine, current)


def _named(location: str, extras: tuple[str, ...]) -> set[str]:
    try:
        return {image_of(location, extras)}
    except FrozenError:  # an extra that the location no longer has
        return set()


@image.command()
@click.argument("images", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def verify(images: tuple[str, ...], as_json: bool) -> None:
    """Starts IMAGES (names of locations or of images; without: of all locations) and compares them with their labels.

    Example: headrace image verify flights
    """
    engine = find_engine()
    locations = {location.name for location in all_locations()}
    wanted = [image_of(name) if name in locations else name for name in images or sorted(locations)]
    found = {name: problems_of(engine, name) for name in wanted}
    if as_json:
        print_json(found)
    else:
        _print_problems(found)
    sys.exit(1 if any(found.values()) else 0)


def _print_problems(found: dict[str, list[str]]) -> None:
    for name, problems in found.items():
        if not problems:
            console.print(f"[green]✓[/] {escape(name)}", highlight=False, soft_wrap=True)
        for problem in problems:
            console.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)


@image.command()
@click.option("--days", default=0, show_default=True, help="Keep what expired less than so many days ago.")
@click.option("--yes", is_flag=True, help="Do it; without it the images are shown and nothing is removed.")
def prune(days: int, yes: bool) -> None:
    """Removes images that expired and that neither the code as it is now nor any container uses.

    Example: headrace image prune --yes
    """
    engine = find_engine()
    going = removable(_images(engine), datetime.now(UTC) - timedelta(days=days))
    for item in going:
        console.print(f"{item.name} [dim]{size(item.bytes)}[/]", highlight=False, soft_wrap=True)
        if yes:
            remove(engine, item)
    done = "removed" if yes else "would be removed; nothing was done yet, add --yes"
    console.print(f"{several(len(going), 'image')} {done}." if going else "There is nothing to remove.")
