"""`headrace reproduce`: computes a version again with its own code, environment and inputs."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.names import named_version
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Version
from platform_core.cli.console import console, errors, print_json
from platform_core.cli.conversation import converse
from platform_core.cli.history import print_diff
from platform_core.cli.run_report import Report
from platform_core.environments.checkouts import checkout_of
from platform_core.environments.reproduction import Origin, environment_then, origin_of, show_inputs
from platform_core.environments.throwaways import Throwaway, throwaway
from platform_core.environments.venvs import ready_venv
from platform_core.errors import FrozenError, listed
from platform_core.history.diff import Diff, declared_key, diff_versions
from platform_core.locations import Location
from platform_core.namespaces import Namespace
from platform_core.settings import as_if_in, current_settings, login
from platform_core.store.opening import open_store


@click.command()
@click.argument("version")
@click.option("--partition", "-p", default=None, help="The partition, where VERSION has no @ID.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def reproduce(version: str, partition: str | None, as_json: bool) -> None:
    """Computes VERSION (ASSET@ID, or ASSET for the current one) again, and says whether the result is the same.

    Code comes from its git commit, libraries from the lock file of that commit, inputs are the versions that it read.
    It runs in a namespace that is thrown away afterwards, beside your own one, which stays as it is whatever happens;
    the new version can be had by its id until `headrace gc` finds it too old.

    Example: headrace reproduce delay_model@7f3a9c1b2d04
    """
    settings = current_settings()
    catalog = open_catalog(settings.catalog)
    old = named_version(catalog, settings.writes_to, version, partition)
    origin = origin_of(old)
    new, doubts = _computed_again(catalog, old, origin, quiet=as_json)
    found = diff_versions(open_store(settings.store), old, new, declared_key(old))
    doubts += _other_inputs(old, new)
    if as_json:
        print_json({"version": old.id, "again": new.id, "identical": found.identical, "doubts": doubts})
    else:
        _tell(found, doubts)
    sys.exit(0 if found.identical else 1)


def _computed_again(catalog: Catalog, old: Version, origin: Origin, quiet: bool) -> tuple[Version, list[str]]:
    say = (lambda _: None) if quiet else lambda line: errors.print(f"[dim]{escape(line)}[/]", highlight=False)
    with (
        throwaway(catalog, _own_namespace()) as apart,
        checkout_of(origin.commit, apart.folder / "checkout") as checkout,
    ):
        environment, doubt = environment_then(old, origin.location, checkout)
        interpreter = ready_venv(environment, say, repository=checkout)
        location = Location(origin.location, f"code_locations.{origin.location}.definitions", interpreter)
        show_inputs(catalog, apart.namespace, old)
        with as_if_in(_settings_of(checkout, apart)):
            _run(location, old, quiet)
        new = catalog.resolve(apart.namespace, old.asset, [old.partition])[old.partition].version
    return new, [*origin.doubts, *([doubt] if doubt else [])]


def _own_namespace() -> Namespace:
    """Beside which it is computed: never production or a branch that others look at."""
    here = current_settings().writes_to
    return here if here.kind == "user" else Namespace.of_user(login())


def _settings_of(checkout: Path, apart: Throwaway) -> dict[str, str]:
    """Settings for the processes of the other checkout: the same store and catalog, a Dagster home of their own."""
    settings = current_settings()
    return {
        "HEADRACE_STORE": settings.store,
        "HEADRACE_CATALOG": settings.catalog,
        "HEADRACE_SOURCES": str(settings.sources),
        "HEADRACE_NAMESPACE": str(apart.namespace),
        "HEADRACE_REPOSITORY": str(checkout),
        "HEADRACE_HOME": str(_home_of(apart)),
        "PYTHONPATH": str(checkout),
    }


def _home_of(apart: Throwaway) -> Path:
    """A home of its own, that knows what is known here of dbt projects: the checkout's may well be one of them."""
    known = apart.folder / "home" / "dbt"
    known.mkdir(parents=True)
    for parsed in (current_settings().home / known.name).glob("parsed-*"):
        (known / parsed.name).symlink_to(parsed)
    return known.parent


def _run(location: Location, old: Version, quiet: bool) -> None:
    """Runs one asset. Its process is the other checkout's."""
    told: list[dict[str, Any]] = []
    report = Report(location)
    with report:
        for message in converse(location, verb="run", selection=old.asset, partition=old.partition):
            told.append(message)
            if not quiet:
                report.take(message)
    failures = [message["sentence"] for message in told if message["kind"] in ("refused", "step_failed", "run_failed")]
    if failures or told[-1].get("code"):
        reason = failures[0] if failures else f"its process ended with code {told[-1].get('code')}."
        raise FrozenError(f"{old.label} could not be computed again: {reason}")


def _other_inputs(old: Version, new: Version) -> list[str]:
    """What was read that was not there then. A run of many partitions reads more than one of a single one."""
    then, now = ({(item.asset, item.partition, item.version) for item in v.provenance.inputs} for v in (old, new))
    more = [f"{asset}[{partition}]" if partition else asset for asset, partition, _ in sorted(now - then)]
    return [f"It read what was not there then, as the namespace shows more by now: {listed(more)}."] if more else []


def _tell(found: Diff, doubts: list[str]) -> None:
    for doubt in doubts:
        console.print(f"[yellow]![/] {escape(doubt)}", highlight=False, soft_wrap=True)
    if found.identical:
        content = found.after.data_version
        console.print(
            f"[green]✓[/] {found.after.label} is identical: content {content}.", highlight=False, soft_wrap=True
        )
    else:
        console.print("[red]✗[/] The result differs.")
        print_diff(found)
