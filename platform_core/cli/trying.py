"""`headrace try` and `headrace watch`: what an asset would be, without writing it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.markup import escape

from platform_core.cli.console import console, count, errors, print_json, size, table
from platform_core.cli.conversation import Message, converse
from platform_core.errors import NotFoundError
from platform_core.locations import Location, all_locations, find_location
from platform_core.settings import current_settings

MINUTE = 60
GRACE = 2  # seconds that a process gets to end by itself


def _options(command: Any) -> Any:
    options = [
        click.argument("asset"),
        click.option("--partition", "-p", default="", help="A key or a range; without it the last one that there is."),
        click.option("--set", "-s", "parameters", multiple=True, help="A parameter of its config as NAME=VALUE."),
        click.option("--input", "-i", "inputs", multiple=True, help="A version to read as NAME=ASSET@VERSION."),
        click.option("--location", "-l", help="The location that has it, where its name does not say so."),
        click.option("--rows", "-n", default=8, show_default=True, help="So many rows of the head."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("try")
@_options
@click.option("--keep", is_flag=True, help="Keep the value as a version, which is not made the current one.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def try_(as_json: bool, location: str | None, asset: str, **given: Any) -> None:
    """Computes ASSET on real inputs, your namespace's first, and shows it: head, columns, checks, time and memory.

    Nothing is written unless --keep. While `headrace ui` or `headrace watch` runs, nothing has to be loaded for it.

    \b
    Examples:
      headrace try departure_features --partition 2013-06
      headrace try delay_model --set depth=4 --input departure_features=departure_features@7f3a9c1b2d04
    """
    found = location_of(asset, location)
    code = 1
    for message in converse(found, verb="try", wish=_wish(asset, **given)):
        if message["kind"] == "tried" and as_json:
            print_json(message)
        elif message["kind"] == "ended":
            code = message["code"]
        else:
            _show(message)
    sys.exit(code)


@click.command()
@_options
def watch(location: str | None, asset: str, **given: Any) -> None:
    """Tries ASSET now and after every save: reloads what changed, and keeps inputs in memory. Ctrl-C ends it.

    Example: headrace watch departure_features --partition 2013-06
    """
    found = location_of(asset, location)
    console.print(f"[dim]Watching the files of {found.name}; Ctrl-C ends it.[/]", highlight=False)
    with warm_processes([found]):
        for message in converse(found, verb="watch", wish=_wish(asset, **given)):
            if message["kind"] == "ended":
                sys.exit(message["code"])
            _show(message)


def location_of(asset: str, name: str | None) -> Location:
    if name:
        return find_location(name)
    locations = all_locations()
    if "/" in asset:
        return find_location(asset.partition("/")[0])
    if len(locations) == 1:
        return locations[0]
    return find_location(_known_location(asset, locations))


def _known_location(asset: str, locations: list[Location]) -> str:
    """By what was ever materialised, else by the one whose files define a function of that name."""
    repository = current_settings().repository
    folders = {item.name: repository.joinpath(*item.module.split(".")[:-1]) for item in locations}
    sign = f"def {asset}("
    having = [n for n, folder in folders.items() if any(sign in path.read_text() for path in folder.glob("*.py"))]
    if len(having) != 1:
        names = " or ".join(folders)
        raise NotFoundError(
            f"Which location has '{asset}'? Write it in full, as LOCATION/{asset}, or --location {names}."
        )
    return having[0]


def _wish(asset: str, partition: str, parameters: tuple[str, ...], inputs: tuple[str, ...], **more: Any) -> Message:
    named = {"parameters": dict(map(pair, parameters)), "inputs": dict(map(pair, inputs))}
    return {"asset": asset, "partition": partition, **named, **more}


def pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise NotFoundError(f"'{text}' should be NAME=VALUE.")
    return name, value


@contextmanager
def warm_processes(locations: list[Location]) -> Iterator[None]:
    """Lets a process for each location have it loaded until the end. They end with this one, however that ends."""
    repository = str(current_settings().repository)
    environment = {**os.environ, "HEADRACE_REPOSITORY": repository, "PYTHONPATH": repository}
    processes = [
        subprocess.Popen(
            [str(item.interpreter), "-m", "platform_core.runner.warm", item.name, item.module],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=repository, env=environment, start_new_session=True,
        )
        for item in locations
    ]  # fmt: skip
    try:
        yield
    finally:
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in processes:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Lets it end by itself, which one does not whose location is still loading, or never ends to."""
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _show(message: Message) -> None:
    kind = message["kind"]
    if kind == "printed":
        console.print(message["line"], markup=False, highlight=False, soft_wrap=True)
    elif kind == "refused":
        errors.print(f"[red]✗[/] {escape(message['sentence'])}", highlight=False, soft_wrap=True)
    elif kind == "tried":
        _show_tried(message)


def _show_tried(told: Message) -> None:
    name = escape(told["asset"] + _of(told["partitions"]))
    failed = told["sentence"] or told["rejected"]
    mark = "[red]✗[/]" if failed else "[green]✓[/]"
    console.print(f"{mark} [bold]{name}[/] in {_duration(told['seconds'])}", highlight=False)
    if told["sentence"]:
        console.print(f"  [red]{escape(told['sentence'])}[/]", highlight=False, soft_wrap=True)
    for item in told["inputs"]:
        rows = f", {count(item['rows'])} rows" if item["rows"] is not None else ""
        console.print(
            f"  [dim]{item['name']}: {escape(item['version'])} of {item['shown_by']}{rows}[/]", highlight=False
        )
    if told["value"]:
        _show_value(told["value"])
    _show_logged(told)
    for check in told["checks"]:
        if not check["passed"]:
            colour = "red" if check["severity"] == "ERROR" else "yellow"
            console.print(f"  [{colour}]![/] {check['check']}: {escape(check['description'])}", highlight=False)
    _show_cost(told)
    for label in told["kept"]:
        console.print(f"  [green]kept[/] as {escape(label)}, which is not the current one", highlight=False)


def _of(partitions: list[str]) -> str:
    if not partitions:
        return ""
    return f"[{partitions[0]}]" if len(partitions) == 1 else f"[{partitions[0]}..{partitions[-1]}]"


def _show_value(value: dict[str, Any]) -> None:
    if "text" in value:
        console.print(f"  {value['type']}: {value['text']}", markup=False, highlight=False, soft_wrap=True)
        return
    console.print(value["head"], markup=False, highlight=False, soft_wrap=True)
    grid = table("column", "type", "nulls", "min", "mean", "max", "", right=("nulls", "min", "mean", "max"))
    for column in value["columns"]:
        numbers = [f"{column[name]:.5g}" if name in column else "" for name in ("min", "mean", "max")]
        shape = column.get("shape") or (f"{count(column['distinct'])} different" if "distinct" in column else "")
        grid.add_row(escape(column["name"]), column["type"], count(column["nulls"]), *numbers, shape)
    console.print(grid)
    console.print(f"  {count(value['rows'])} rows, {size(value['bytes'])} in memory", highlight=False)


def _show_logged(told: Message) -> None:
    for title, values in (("parameters", told["parameters"]), ("metrics", told["metrics"])):
        if values:
            pairs = (
                f"{name}={value:.5g}" if isinstance(value, float) else f"{name}={value}"
                for name, value in values.items()
            )
            console.print(f"  {title}: {escape(', '.join(pairs))}", highlight=False)
    for name, points in told["series"].items():
        console.print(f"  {escape(name)} {_line([value for _, value in points])} {points[-1][1]:.5g}", highlight=False)
    for name, path in told["figures"].items():
        console.print(f"  figure {escape(name)}: [link=file://{path}]{path}[/]", highlight=False, soft_wrap=True)


def _line(values: list[float], width: int = 40) -> str:
    least, most = min(values), max(values)
    some = values[:: max(1, len(values) // width)]
    return "".join("▁▂▃▄▅▆▇█"[round((value - least) / ((most - least) or 1) * 7)] for value in some)


def _show_cost(told: Message) -> None:
    parts = [
        f"{part['name']} {_duration(part['seconds'])}" + (f" +{size(part['memory'])}" if part["memory"] else "")
        for part in told["parts"]
    ]
    passed = sum(1 for check in told["checks"] if check["passed"])
    checks = f"; {passed} of {len(told['checks'])} checks passed" if told["checks"] else ""
    console.print(f"  [dim]{escape(', '.join(parts))}{checks}[/]", highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s" if seconds < MINUTE else f"{seconds:.0f} s"
