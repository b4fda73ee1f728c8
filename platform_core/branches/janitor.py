"""Removes what nobody wants any more: branches whose time is over, what killed processes left of others, garbage."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_core.branches.deployment import Deployment
from platform_core.branches.git import asked
from platform_core.branches.opening import close_branch, expired
from platform_core.catalog.catalog import Catalog
from platform_core.cluster.kubectl import ClusterError
from platform_core.cluster.settings import in_cluster
from platform_core.compute.placement import ComputeTable
from platform_core.compute.sweeping import sweep_backends
from platform_core.errors import NamespaceError
from platform_core.history.gc import collect, find_garbage
from platform_core.namespaces import Namespace
from platform_core.settings import Settings
from platform_core.store.store import Store

GRACE = timedelta(days=1)  # in which a folder without a branch may belong to one that is just being opened


@dataclass(frozen=True)
class Swept:
    """What a round of the janitor removed, or would remove.

    Args:
        branches: the namespaces that were closed.
        kept: why something was not, a sentence each.
        orphans: folders of branches that are not there.
        leftovers: containers and Jobs of steps whose time is over.
        garbage: how many versions and folders of versions nobody can reach.
    """

    branches: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    orphans: tuple[Path, ...] = ()
    leftovers: tuple[str, ...] = ()
    garbage: int = 0
    bytes: int = field(default=0)


def sweep(
    catalog: Catalog, store: Store, settings: Settings, table: ComputeTable | None = None, *, dry_run: bool = False
) -> Swept:
    """One round. Interrupted anywhere, the next one does the rest; a branch that is pinned never expires.

    Args:
        table: the backends to look through; none are where it is not given.
        dry_run: say what would go, and change nothing.
    """
    closed, kept = close_expired(catalog, store, settings, dry_run=dry_run)
    closed += _closed_elsewhere(catalog, dry_run=dry_run)
    lost = tuple(orphans(catalog, settings, datetime.now(UTC)))
    garbage, now = find_garbage(catalog, store), datetime.now(UTC).timestamp()
    left = sweep_backends(table or ComputeTable(), now, dry_run=dry_run)
    if not dry_run:
        for folder in lost:
            shutil.rmtree(folder, ignore_errors=True)
        asked(settings.repository, "worktree", "prune")  # git remembers worktrees whose folder is gone
        for _ in collect(catalog, store, garbage):
            pass
    number = len(garbage.versions) + len(garbage.folders)
    return Swept(closed, kept + left.kept, lost, left.removed, number, garbage.bytes)


def close_expired(
    catalog: Catalog, store: Store, settings: Settings, *, dry_run: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Closes branches whose time is over: their namespaces, and sentences about those that could not be closed."""
    closed, kept = [], []
    for branch in expired(catalog, datetime.now(UTC)):
        try:
            if not dry_run:
                close_branch(catalog, store, Deployment(branch, settings))
            closed.append(branch.namespace)
        except (NamespaceError, ClusterError) as error:  # the others still go
            kept.append(str(error))
    return tuple(closed), tuple(kept)


def _closed_elsewhere(catalog: Catalog, *, dry_run: bool) -> tuple[str, ...]:
    """Removes from the cluster the branches that somebody closed who could not: whose processes have no kubectl."""
    if not in_cluster():
        return ()
    from platform_core.cluster.branches import left_in_cluster, remove_branch

    half = {branch.namespace for branch, _ in catalog.branches()}  # which were tried just now
    records = [record for record in catalog.namespaces(closed=True) if record.closed_at and record.name not in half]
    left = left_in_cluster([Namespace.parse(record.name) for record in records])
    for namespace in [] if dry_run else left:
        remove_branch(namespace)
    return tuple(str(namespace) for namespace in left)


def orphans(catalog: Catalog, settings: Settings, now: datetime) -> Iterator[Path]:
    """Folders of branches that this catalog knows to be closed, and of checkouts whose command was killed.

    Those of a branch that it never had may be another catalog's, and stay, as does what is younger than the grace time.
    """
    known = {Namespace.parse(branch.namespace).slug for branch, _ in catalog.branches()}
    records = catalog.namespaces(closed=True)
    closed = {Namespace.parse(record.name).slug for record in records if record.closed_at is not None} - known
    found = [settings.home / folder / slug for slug in sorted(closed) for folder in ("branches", "dagster")]
    found += sorted((settings.home / "checkouts").glob("*-*"))
    yield from (path for path in found if path.is_dir() and _is_old(path, now))


def _is_old(path: Path, now: datetime) -> bool:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - GRACE
