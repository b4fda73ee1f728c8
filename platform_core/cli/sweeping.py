"""`headrace sweep`: an asset computed many times with other parameters, each value kept."""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.names import full_name
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.catalog.values import AliasMove, Move
from platform_core.cli.console import console, errors, print_json, print_whole, table
from platform_core.cli.conversation import Message, converse
from platform_core.cli.trying import location_of, pair
from platform_core.errors import NotFoundError
from platform_core.locations import find_location
from platform_core.settings import current_settings
from platform_core.tracking.sweeps import best_first, cells, counted, titles

LOOK = 0.5  # seconds between two looks at how many trials have ended
SHOWN = 10  # trials in a terminal
TOLD = 3  # failures whose sentences are
OF_A_TRIAL = "trials info: Trial "  # begins the line of the log of the run, which the progress stands for


@click.command()
@click.argument("asset", required=False, default="")
@click.option("--grid", "-g", multiple=True, help="A parameter and its values, as depth=2,4,8; several make a product.")
@click.option("--int", "ints", multiple=True, help="A whole number between two, as depth=2:8, or n=1:1000:log.")
@click.option("--float", "floats", multiple=True, help="A number between two, as subsample=0.5:1, or lr=0.01:1:log.")
@click.option("--random", type=click.IntRange(min=1), help="So many trials at random instead of all.")
@click.option("--trials", type=click.IntRange(min=1), help="So many trials, each chosen by how the others did.")
@click.option("--sampler", type=click.Choice(["tpe", "random"]), default="tpe", help="How --trials are chosen.")
@click.option("--seed", default=0, show_default=True, help="Another one chooses other trials.")
@click.option("--metric", "-m", default="", help="What makes one trial better than another.")
@click.option("--maximize/--minimize", default=True, show_default=True, help="Whether more of it is better, or less.")
@click.option("--stop", type=click.Choice(["median", "halving", "hyperband"]), default=None,
              help="End trials early that fall behind in what they log of the metric with step=.")  # fmt: skip
@click.option("--timeout", default="", help="Of one trial, such as 90s or 10m; else what the asset's Compute says.")
@click.option("--parallel", "-j", type=click.IntRange(min=1), help="So many trials at once, at most.")
@click.option("--isolated", is_flag=True, help="Each trial in a process of its own, also where that takes longer.")
@click.option("--compute", "backend", default="", help="The backend, where it is not to be the asset's own.")
@click.option("--set", "-s", "parameters", multiple=True, help="A parameter that all trials have in common.")
@click.option("--input", "-i", "inputs", multiple=True, help="A version to read as NAME=ASSET@VERSION.")
@click.option("--partition", "-p", default="", help="The partition; without it the last one that there is.")
@click.option("--location", "-l", help="The location that has it, where its name does not say so.")
@click.option("--resume", default="", help="The id of a sweep to go on with: only what has not ended is tried.")
@click.option("--alias", default="", help="A name for the best one, such as champion.")
@click.option("--use-best", is_flag=True, help="Make the best one the current version of your namespace.")
@click.option(
    "--list", "listing", is_flag=True, help="Show the sweeps that there are, of ASSET or all, and start none."
)
@click.option("--json", "as_json", is_flag=True, help="The trials as JSON, in the order of the request.")
def sweep(asset: str, listing: bool, as_json: bool, **given: Any) -> None:
    """Computes ASSET with many parameters, and keeps each value as a version that is not the current one.

    All trials read the same versions. The exit code is 1 when a trial failed.

    \b
    Examples:
      headrace sweep delay_model --grid trees=50,100 --grid learning_rate=0.1,0.3 --metric roc_auc
      headrace sweep delay_model --trials 40 --int trees=20:300:log --float learning_rate=0.01:1:log -m roc_auc
      headrace sweep --resume 4f09ac
    """
    catalog = open_catalog(current_settings().catalog)
    if listing:
        _list(catalog, asset, as_json)
        return
    _require_something_to_do(asset, given)
    found, ok = _run(catalog, asset, as_json, **given)
    if found is None:
        sys.exit(2)
    trials = catalog.trials(found.id)
    if as_json:
        print_json([asdict(trial) for trial in trials])
    else:
        _print(found, trials)
    _name_best(catalog, found, trials, alias=given["alias"], use=given["use_best"], quiet=as_json)
    sys.exit(0 if ok and all(trial.state != "failed" for trial in trials) else 1)


def _require_something_to_do(asset: str, given: dict[str, Any]) -> None:
    if not (asset or given["resume"]):
        raise click.UsageError("Which asset? Name it, or --resume a sweep.")
    if (given["alias"] or given["use_best"]) and not (given["metric"] or given["resume"]):
        raise click.UsageError("Which one is the best? Name a --metric.")
    if given["random"] and given["trials"]:
        raise click.UsageError("Give --random or --trials, not both.")


def _run(
    catalog: Catalog, asset: str, quiet: bool, location: str | None, resume: str, **given: Any
) -> tuple[Sweep | None, bool]:
    """The sweep when nothing is left to try, or nothing goes on; and whether its run went well."""
    if resume:
        earlier = catalog.sweep(resume)
        where, resume = find_location(earlier.asset.partition("/")[0]), earlier.id
    else:
        where = location_of(asset, location)
    found, ok = None, False
    with _progress(catalog, quiet) as told:
        for message in converse(where, verb="sweep", wanted=_wanted(asset, resume, **given)):
            told(message)
            if message["kind"] == "sweep_begun":
                found = catalog.sweep(message["sweep"])
            elif message["kind"] == "ended":
                ok = message["code"] == 0
    return found, ok


def _wanted(asset: str, resume: str, random: int | None, trials: int | None, **given: Any) -> Message:
    for name in ("alias", "use_best"):
        del given[name]
    searched = given["sampler"] if trials else "random" if random else "grid"
    common = {name: dict(map(pair, given[name])) for name in ("parameters", "inputs")}
    more = {"sampler": searched, "count": trials or random, "stop": given["stop"] or ""}
    return {"asset": asset, "resume": resume, **given, **common, **more}


@contextmanager
def _progress(catalog: Catalog, quiet: bool) -> Iterator[Any]:
    """Shows how many trials have ended, and prints what else is told."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    over = threading.Event()
    with Progress(*columns, console=errors, transient=True, disable=quiet) as progress:
        task = progress.add_task("trials", total=None)

        def look(id: str) -> None:
            while not over.wait(LOOK):
                progress.update(task, completed=len(catalog.ended_trials(id)))

        def told(message: Message) -> None:
            if message["kind"] == "sweep_begun":
                progress.update(task, total=message["count"], completed=message["ended"])
                if not quiet:
                    progress.console.print(_begun(message), highlight=False, soft_wrap=True)
                    threading.Thread(target=look, args=(message["sweep"],), daemon=True).start()
            elif message["kind"] in ("refused", "sweep_failed"):
                errors.print(f"[red]✗[/] {escape(message['sentence'])}", highlight=False, soft_wrap=True)
            elif message["kind"] == "printed" and not (quiet or message["line"].startswith(OF_A_TRIAL)):
                progress.console.print(message["line"], markup=False, highlight=False, soft_wrap=True)

        try:
            yield told
        finally:
            over.set()


def _begun(message: Message) -> str:
    left = message["count"] - message["ended"]
    ended = f", of which {message['ended']} have ended" if message["ended"] else ""
    again = f"; interrupted, it goes on with: headrace sweep --resume {message['sweep']}" if left else ""
    return f"[bold]{message['sweep']}[/]: {message['count']} trials{ended}[dim]{again}[/]"


def _print(found: Sweep, trials: Sequence[Trial]) -> None:
    metric, names = found.request["metric"], [axis["name"] for axis in found.request["axes"]]
    best = best_first(found, trials)
    grid = table(*titles(found), right=[name for name in titles(found) if name not in ("state", "version")])
    for trial in (best or trials)[:SHOWN]:
        grid.add_row(*map(escape, cells(trial, names, metric)))
    print_whole(grid)
    failed = [trial for trial in trials if trial.state == "failed"]
    for trial in failed[:TOLD]:
        told = f"trial {trial.number}: {trial.sentence}"
        console.print(f"[red]✗[/] {escape(told)}", highlight=False, soft_wrap=True)
    short = found.asset.rpartition("/")[2]
    by = f" --by {metric}" if metric else ""
    more = f"headrace leaderboard {short}{by} --sweep {found.id.rpartition('-')[2]}"
    console.print(f"{counted(found, trials)}. All of them: {more}" if by else f"{counted(found, trials)}.")


def _name_best(catalog: Catalog, found: Sweep, trials: Sequence[Trial], *, alias: str, use: bool, quiet: bool) -> None:
    if not (alias or use):
        return
    best = next(iter(best_first(found, trials)), None)
    if best is None or best.version is None:
        raise NotFoundError(f"No trial of {found.id} has a value with the metric '{found.request['metric']}'.")
    namespace, why = current_settings().writes_to, f"the best of {found.id}, trial {best.number}"
    if alias:
        catalog.move_aliases(namespace, [AliasMove(found.asset, alias, best.version)], why)
    if use:
        catalog.move_refs(namespace, [Move(found.asset, found.partition, best.version)], kind="use", message=why)
    if not quiet:
        done = [f"{found.asset}@{alias}"] if alias else []
        done += [f"the current version of {namespace}"] if use else []
        console.print(f"[green]✓[/] Trial {best.number} ({best.version}) is {' and '.join(done)}.", highlight=False)


def _list(catalog: Catalog, asset: str, as_json: bool) -> None:
    name = full_name(catalog, asset) if asset else None
    found = [(item, catalog.trials(item.id)) for item in catalog.sweeps(current_settings().writes_to, name)]
    if as_json:
        print_json([asdict(item) | {"ended": len(trials)} for item, trials in found])
        return
    grid = table("sweep", "asset", "partition", "trials")
    for item, trials in found:
        grid.add_row(item.id, escape(item.asset), item.partition, counted(item, trials))
    print_whole(grid)
