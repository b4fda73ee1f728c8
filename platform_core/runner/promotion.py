"""Promotes a branch: asks its Dagster instance whether the checks passed, and tells production's of what it has now."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg

from platform_core.branches.comparison import Verdicts, counterparts
from platform_core.branches.plan import Description
from platform_core.branches.promotion import Candidates, candidates, promote, promoted
from platform_core.branches.read_through import contents_read, tags_of
from platform_core.branches.tokens import accept, issue
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import PROMOTED_FROM, Version
from platform_core.errors import OpenTableError, PromotionError, listed
from platform_core.event_metadata import version_metadata
from platform_core.instance import prepare_dagster_home
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.open_tables.publishing import publish
from platform_core.settings import as_if_in, current_settings, login
from platform_core.store.opening import open_store
from platform_core.store.store import Store
from platform_core.tracking_metadata import tracked_metadata

log = logging.getLogger(__name__)

VERSION = "headrace/version"
Evaluations = dict[str, list[dg.AssetCheckEvaluation]]


def look_at(branch: Namespace, merged: Mapping[str, Description]) -> tuple[Candidates, Evaluations]:
    """What of a branch could be promoted by the code that was merged, and what checks said of it."""
    catalog = open_catalog(current_settings().catalog)
    own = catalog.own_versions(branch)
    with instance_of(branch) as instance:
        told = evaluations(instance, own)
        if missing := left_by_a_failure(instance, own):
            raise PromotionError(
                f"The last run of {branch} failed before it computed {listed(missing)}: run it again with headrace"
                f" branch run {branch.name}, or delete that run in the UI."
            )
    return candidates(catalog, branch, merged, passed(told)), told


def left_by_a_failure(instance: dg.DagsterInstance, own: Sequence[Version]) -> list[str]:
    """The assets that an instance's last run was for and did not compute, when it failed or was cancelled."""
    last = instance.get_run_records(limit=1)
    if not last or last[0].dagster_run.status not in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED):
        return []
    run = last[0].dagster_run
    computed = {version.asset for version in own if version.provenance.run_id == run.run_id}
    return sorted({key.to_user_string() for key in run.asset_selection or ()} - computed)


def promote_branch(
    branch: Namespace, merged: Mapping[str, Description], token: str, *, rebuild: bool = False
) -> tuple[list[Version], list[Version]]:
    """Promotes a branch, and tells production's instance of it. What becomes of what it has; nothing when it has
    nothing that production does not show already. Then the versions that were left behind.

    Args:
        token: the leave for it; without one it is given here, by who holds the key.
        rebuild: whether to leave behind what production went on from, to be computed again there.

    Raises:
        PromotionError: something keeps it from being promoted, or there is no leave.
        ConflictError: production moved meanwhile.
    """
    settings = current_settings()
    catalog, store = open_catalog(settings.catalog), open_store(settings.store)
    whole, told = look_at(branch, merged)
    found = whole.without_outdated() if rebuild else whole
    found.require()
    done: list[Version] = []
    if found.versions:
        given = token or issue(settings, branch, found.digest, login())
        accepted = partial(accept, settings, given, branch, found.digest)
        done = promote(catalog, store, found, accepted(), accepted)
    with instance_of(PRODUCTION) as instance:  # also what an earlier promotion was killed before it could tell
        announce(instance, store, branch, promoted(catalog, branch), told)
    show_to_others(sorted({version.asset for version in done}))
    return done, list(whole.outdated) if rebuild else []


def show_to_others(assets: Sequence[str]) -> None:
    """Publishes open tables of assets. What was promoted stays promoted: what fails here the sensor tries again."""
    if not current_settings().open_tables or not assets:
        return
    try:
        publish(assets)
    except OpenTableError as error:
        log.warning("%s. It is tried again once a minute.", error)


def verdicts(branch: Namespace) -> Verdicts:
    """By run, asset and check whether it passed, of what a branch has and of what production shows of the same."""
    catalog = open_catalog(current_settings().catalog)
    own = catalog.own_versions(branch)
    sides = ((branch, own), (PRODUCTION, counterparts(catalog, own)))
    found: dict[tuple[str, str, str], bool] = {}
    for namespace, versions in sides:
        with instance_of(namespace) as instance:
            found |= _judged(evaluations(instance, versions))
    return found


def _judged(found: Evaluations) -> dict[tuple[str, str, str], bool]:
    told: dict[tuple[str, str, str], bool] = {}
    for run, items in found.items():
        for item in items:
            key = run, item.asset_key.to_user_string(), item.check_name
            told[key] = told.get(key, True) and item.passed
    return told


@contextmanager
def instance_of(namespace: Namespace) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of a namespace."""
    with as_if_in({"HEADRACE_NAMESPACE": str(namespace), "DAGSTER_HOME": ""}):
        prepare_dagster_home(current_settings())
        with dg.DagsterInstance.get() as instance:
            yield instance


def evaluations(instance: dg.DagsterInstance, versions: Iterable[Version]) -> Evaluations:
    """The results of checks by the run that computed some of the versions."""
    runs = dict.fromkeys(version.provenance.run_id for version in versions if version.provenance.run_id)
    return {run: list(_evaluated(instance, run)) for run in runs}


def _evaluated(instance: dg.DagsterInstance, run: str) -> Iterator[dg.AssetCheckEvaluation]:
    for entry in instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        if entry.dagster_event is not None:
            yield entry.dagster_event.asset_check_evaluation_data


def passed(found: Evaluations) -> frozenset[tuple[str, str, str]]:
    """The runs, assets and checks of which no evaluation failed."""
    return frozenset(key for key, passed in _judged(found).items() if passed)


def announce(
    instance: dg.DagsterInstance, store: Store, branch: Namespace, versions: Sequence[Version], found: Evaluations
) -> int:
    """Tells production's instance of promoted versions, each once however often it is called. How many it was told."""
    new = [version for version in versions if not _is_known(instance, version)]
    content = contents_read(open_catalog(current_settings().catalog), new)
    for version in new:
        instance.report_runless_asset_event(_materialization(store, branch, version, content))
    told = {(version.asset, version.provenance.run_id) for version in new}
    for run, items in found.items():
        for item in items:
            if (item.asset_key.to_user_string(), run) in told:
                instance.report_runless_asset_event(_without_target(item))
    return len(new)


def _is_known(instance: dg.DagsterInstance, version: Version) -> bool:
    """Whether the newest event of the version's place is about it."""
    key = dg.AssetKey.from_user_string(version.asset)
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[version.partition] if version.partition else None),
        limit=1,
    ).records
    event = records[0].asset_materialization if records else None
    return event is not None and getattr(event.metadata.get(VERSION), "value", None) == version.id


def _materialization(
    store: Store, branch: Namespace, version: Version, content: Mapping[str, str]
) -> dg.AssetMaterialization:
    told: dict[str, Any] = {
        "headrace/branch": str(branch),
        "headrace/branch_run": version.provenance.run_id,
        PROMOTED_FROM: str(version.metadata[PROMOTED_FROM]),
    }
    return dg.AssetMaterialization(
        asset_key=dg.AssetKey.from_user_string(version.asset),
        partition=version.partition or None,
        description=f"Promoted out of {branch}.",
        metadata={
            **tracked_metadata(store, version),
            **version_metadata(store, [version], version.provenance.inputs),
            **told,
        },
        tags=tags_of(version, content),
    )


def _without_target(item: dg.AssetCheckEvaluation) -> dg.AssetCheckEvaluation:
    """The materialization that it was about is the branch's, which production's instance does not know."""
    return dg.AssetCheckEvaluation(
        asset_key=item.asset_key,
        check_name=item.check_name,
        passed=item.passed,
        metadata=item.metadata,
        severity=item.severity,
        description=item.description,
    )
