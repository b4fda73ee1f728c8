"""Removing what nobody can reach: versions out of every namespace's sight, and what interrupted writes left behind."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import TRIAL, Version
from platform_core.store.names import version_key
from platform_core.store.store import Store

# What a namespace showed within this time can be rolled back to.
KEEP = timedelta(days=30)
# A write may be under way for so long before its files count as left behind.
GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Garbage:
    """What may go: versions that no namespace shows or showed since a moment, and folders that no version owns."""

    versions: tuple[Version, ...]
    folders: tuple[str, ...]
    since: datetime | None = field(default=None, compare=False)

    @property
    def bytes(self) -> int:
        return sum(version.bytes for version in self.versions)


def find_garbage(
    catalog: Catalog, store: Store, keep: timedelta = KEEP, grace: timedelta = GRACE, held: Collection[str] = ()
) -> Garbage:
    """What no ref, pin or retention rule can reach and what is older than the grace time. Changes nothing.

    What checks refused, or was tried, was never shown; it is kept as long as what was, so that somebody can look.

    Args:
        held: the ids of versions that somebody outside the catalog still shows.
    """
    now = datetime.now(UTC)
    # Folders first: a version that is committed meanwhile is then found in the catalog and is not taken for garbage.
    folders = {key for key, written in store.version_folders() if written < now - grace}
    homes = catalog.homes({key.rpartition("/")[2] for key in folders})
    owned = {version_key(*home, id) for id, home in homes.items()}
    candidates = catalog.versions(sorted(catalog.unreachable_versions(since=now - keep) & homes.keys() - set(held)))
    old = (version for version in candidates if _is_old(version, now, keep, grace) and folder_of(version) in folders)
    return Garbage(tuple(old), tuple(sorted(folders - owned)), now - keep)


def _is_old(version: Version, now: datetime, keep: timedelta, grace: timedelta) -> bool:
    return version.created_at < now - (max(keep, grace) if version.rejected or TRIAL in version.metadata else grace)


def folder_of(version: Version) -> str:
    return version_key(version.namespace, version.asset, version.partition, version.id)


def collect(catalog: Catalog, store: Store, garbage: Garbage) -> Iterator[str]:
    """Deletes garbage and gives the key of each folder that is gone.

    The catalog gives a version up before its files go, so that nobody can make it current in between; one that
    somebody did make current since it was found stays. Interrupted, the rest is found again.
    """
    given_up = set(catalog.forget([version.id for version in garbage.versions], garbage.since))
    doomed = [folder_of(version) for version in garbage.versions if version.id in given_up]
    for key in (*doomed, *garbage.folders):
        store.discard(key)
        yield key
