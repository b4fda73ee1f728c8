"""Removing what nobody can reach: versions out of every namespace's sight, and what interrupted writes left behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from platform_core.store.names import version_key
from platform_core.store.store import Store

# What a namespace showed within this time can be rolled back to.
KEEP = timedelta(days=30)
# A write may be under way for so long before its files count as left behind.
GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Garbage:
    """What may go: versions that no namespace shows or showed lately, and folders that no version owns."""

    versions: tuple[Version, ...]
    folders: tuple[str, ...]

    @property
    def bytes(self) -> int:
        return sum(version.bytes for version in self.versions)


def find_garbage(catalog: Catalog, store: Store, keep: timedelta = KEEP, grace: timedelta = GRACE) -> Garbage:
    """What no ref, pin or retention rule can reach and what is older than the grace time. Changes nothing."""
    now = datetime.now(UTC)
    # Folders first: a version that is committed meanwhile is then found in the catalog and is not taken for garbage.
    folders = {key: written for key, written in store.version_folders() if written < now - grace}
    reachable = catalog.reachable_versions(since=now - keep)
    versions, owned = [], set()
    for version in catalog.all_versions():
        key = folder_of(version)
        owned.add(key)
        if version.id not in reachable and version.created_at < now - grace and key in folders:
            versions.append(version)
    return Garbage(tuple(versions), tuple(sorted(set(folders) - owned)))


def folder_of(version: Version) -> str:
    return version_key(version.namespace, version.asset, version.partition, version.id)


def collect(catalog: Catalog, store: Store, garbage: Garbage) -> Iterator[str]:
    """Deletes garbage and gives the key of each folder that is gone.

    The catalog gives a version up before its files go, so that nobody can make it current in between; one that
    somebody did make current since it was found stays. Interrupted, the rest is found again.
    """
    given_up = set(catalog.forget([version.id for version in garbage.versions]))
    doomed = [folder_of(version) for version in garbage.versions if version.id in given_up]
    for key in (*doomed, *garbage.folders):
        store.discard(key)
        yield key
