"""What the platform removed of what nobody wants any more."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from platform_core import fact
from platform_core.instance_settings import instance_settings
from platform_core.settings import current_settings

if TYPE_CHECKING:
    from platform_core.catalog.catalog import Catalog

KINDS = ("closed", "kept", "orphan", "leftover", "run")


@fact
def swept(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Branches whose time was over, folders of branches that are not there, what steps left on backends, and old runs.
    Outside production it only says what would go."""
    from platform_core.branches.janitor import sweep
    from platform_core.catalog.opening import open_catalog
    from platform_core.store.opening import open_store
    from resources.compute import compute_table

    settings = current_settings()
    is_dry = not settings.writes_to.is_production
    catalog, store = open_catalog(settings.catalog), open_store(settings.store)
    done = sweep(catalog, store, settings, compute_table(), dry_run=is_dry)
    runs = _forget_old_runs(context.instance, catalog, is_dry)
    told = (done.branches, done.kept, [str(path) for path in done.orphans], done.leftovers, runs)
    context.add_output_metadata(
        {
            "dry_run": is_dry,
            **{kind: len(items) for kind, items in zip(KINDS, told, strict=True)},
            "garbage": done.garbage,
            "garbage_bytes": done.bytes,
        }
    )
    rows = [(kind, str(item)) for kind, items in zip(KINDS, told, strict=True) for item in items]
    return pl.DataFrame(rows, schema={"kind": pl.String, "what": pl.String}, orient="row")


def _forget_old_runs(instance: dg.DagsterInstance, catalog: "Catalog", is_dry: bool) -> list[str]:
    from platform_core.history.old_runs import forget_runs, old_runs

    if (days := instance_settings().keep_runs) is None:
        return []
    found = list(old_runs(instance, catalog, current_settings().writes_to, datetime.now(UTC) - timedelta(days=days)))
    if not is_dry:
        forget_runs(instance, found)
    return found
