"""Makes the order for a step: what it needs, what it is told, and the labels on what is created for it."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg
from sqlalchemy import make_url

from platform_core.compute.attempts import Attempt, Order
from platform_core.compute.frozen import interpreter_of
from platform_core.compute.handed_on import variables_of_what_was_found
from platform_core.compute.placement import Placement
from platform_core.compute.prices import price_per_hour
from platform_core.compute.worker import TIMEOUT_VARIABLE, pack
from platform_core.dagster_internals import AssetNode
from platform_core.environments.environment import VARIABLE
from platform_core.instance_settings import PASSWORD, URL
from platform_core.logs import ASSET as LOG_ASSET
from platform_core.logs import VARIABLE as LOGS
from platform_core.provenance import PRICE
from platform_core.settings import Settings
from platform_core.tracing.spans import secrets_elsewhere, variables_elsewhere, variables_of

NAMED = 3  # assets of a step that are named
_PASSED_ON = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION")  # of this process's own variables
EXPIRY = 7 * 24 * 3600  # seconds after which the janitor may remove what an attempt left behind


def make_order(
    attempt: Attempt, placement: Placement, payload: str, labels: Mapping[str, str], settings: Settings
) -> Order:
    """The order for one attempt of a step that was placed."""
    remote = placement.backend != "local"
    return Order(
        attempt=attempt,
        interpreter="" if remote else interpreter_of(placement),
        compute=placement.compute,
        profile=placement.profile,
        payload=pack(payload) if remote else payload,
        variables=_variables(attempt, placement, settings) | _named_in_logs(labels, settings),
        secrets=_secrets(placement, settings) if remote else {},
        labels={**labels, "expires": str(int(time.time()) + EXPIRY)},
        folder=None if remote else run_folder(settings, attempt.run_id),
    )


def name_of(step: str, nodes: Sequence[AssetNode]) -> str:
    """What people call a step: the assets that it materialises, or its own name when it materialises none."""
    keys = [node.key.to_user_string() for node in nodes] or [step]
    return ", ".join(keys[:NAMED]) + (", ..." if keys[NAMED:] else "")


def labels_of(run: dg.DagsterRun, step: str, nodes: Sequence[AssetNode], settings: Settings) -> dict[str, str]:
    """What everything that is created for a step is labelled with; each backend fits the texts to its own rules."""
    origin, asset = run.remote_job_origin, name_of(step, nodes)
    return {
        "namespace": settings.namespace,
        "owner": ",".join(sorted({owner for node in nodes for owner in node.owners})),
        "location": origin.location_name if origin else asset.partition("/")[0],
        "asset": asset,
        "run": run.run_id,
    }


def run_folder(settings: Settings, run_id: str) -> Path:
    """Where the run worker and the steps on its machine exchange files, below the Dagster home."""
    folder = settings.dagster_home / "steps" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _variables(attempt: Attempt, placement: Placement, settings: Settings) -> dict[str, str]:
    """What a step finds in its environment; one on this machine has everything of this process anyway."""
    given = {"DAGSTER_RUN_STEP_KEY": attempt.step, **variables_of(attempt.run_id)} | (
        {VARIABLE: placement.environment} if placement.environment else {}
    )
    if placement.backend != "local":
        given |= _elsewhere(placement, settings)
    if (price := price_per_hour(placement)) is not None:
        given[PRICE] = f"{price:g}"
    given |= placement.profile.variables
    hidden = _secrets(placement, settings)
    return {name: value for name, value in given.items() if name not in hidden}


def _named_in_logs(labels: Mapping[str, str], settings: Settings) -> dict[str, str]:
    return {LOGS: settings.logs, LOG_ASSET: labels.get("asset", "")} if settings.logs == "json" else {}


def _elsewhere(placement: Placement, settings: Settings) -> dict[str, str]:
    """The settings of this process, which the step needs wherever it runs, and what libraries ask of their machine."""
    timeout = placement.compute.timeout_seconds
    given = {
        "HEADRACE_NAMESPACE": settings.namespace,
        "HEADRACE_STORE": settings.store,
        "HEADRACE_CATALOG": settings.catalog,
        "HEADRACE_HOME": str(settings.home),
        "HEADRACE_REPOSITORY": str(settings.repository),
        "HEADRACE_SOURCES": str(settings.sources),
        **_storage(),
    }
    if placement.environment:  # its image is a repository of its own, and knows where
        del given["HEADRACE_REPOSITORY"]
    given |= {TIMEOUT_VARIABLE: str(timeout)} if timeout else {}
    if placement.backend != "batch":  # which has room for few variables
        given |= variables_of_what_was_found()
    given |= variables_elsewhere()
    return given | {name: value for name, value in os.environ.items() if name in _PASSED_ON}


def _secrets(placement: Placement, settings: Settings) -> dict[str, str]:
    """The profile's secrets, and what has a password in it: the addresses of the catalog and of Dagster's storage, and
    what a collector of traces wants to be told.
    """
    addresses = {"HEADRACE_CATALOG": settings.catalog, **_storage()}
    own = [name for name, text in addresses.items() if name == PASSWORD or make_url(text).password]
    if placement.backend != "batch":  # where each needs an ARN: a profile may give it
        own += secrets_elsewhere()
    return {**dict.fromkeys(own, ""), **placement.profile.secrets}


def _storage() -> dict[str, str]:
    """Where Dagster's storage is in PostgreSQL, as an instance asks for it; nothing with SQLite."""
    return {name: os.environ[name] for name in (URL, PASSWORD) if os.environ.get(name)}
