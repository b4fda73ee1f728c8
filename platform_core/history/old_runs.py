"""Runs that nobody needs any more: a busy production makes thousands, and Dagster keeps each with all of its events."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from platform_core.catalog.catalog import Catalog
from platform_core.namespaces import Namespace

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
PAGE = 100


def old_runs(instance: dg.DagsterInstance, catalog: Catalog, namespace: Namespace, before: datetime) -> Iterator[str]:
    """The ids of runs that ended before a time, without those that made what the namespace shows, oldest first.

    What an asset's page says of its newest materialization comes from the events of a run, so that run stays.
    """
    old, cursor = dg.RunsFilter(statuses=FINISHED, updated_before=before), None
    while found := instance.get_run_records(old, limit=PAGE, cursor=cursor, ascending=True):
        cursor = found[-1].dagster_run.run_id
        ids = [record.dagster_run.run_id for record in found]
        yield from (run for run in ids if not _is_shown(instance, catalog, namespace, run))


def forget_runs(instance: dg.DagsterInstance, runs: list[str]) -> None:
    """Deletes runs with their events and what their steps printed. Interrupted, the next call does the rest."""
    for run in runs:
        instance.compute_log_manager.delete_logs(prefix=[run])
        instance.delete_run(run)


def _is_shown(instance: dg.DagsterInstance, catalog: Catalog, namespace: Namespace, run: str) -> bool:
    for asset, partitions in _materialized(instance, run).items():
        shown = catalog.resolve(namespace, asset, partitions).values()
        if any(item.version.provenance.run_id == run for item in shown):
            return True
    return False


def _materialized(instance: dg.DagsterInstance, run: str) -> dict[str, list[str]]:
    """The partitions of each asset of which a run tells that it made them."""
    found = defaultdict(list)
    for record in instance.get_records_for_run(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records:
        if told := record.asset_materialization:
            found[told.asset_key.to_user_string()].append(told.partition or "")
    return found
