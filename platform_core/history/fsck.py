"""Proving that the files of versions are what was committed."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Version
from platform_core.errors import CorruptVersionError
from platform_core.store.store import Store

THREADS = 4  # checksums leave Python's lock, so that two cores and a remote store are kept busy
PORTION = 1_000  # versions that are held in memory at a time


@dataclass(frozen=True, slots=True)
class Soundness:
    """How many versions were read in full, and a sentence for each that is not what was committed."""

    versions: int
    bytes: int
    problems: tuple[str, ...]


def check_files(
    catalog: Catalog, store: Store, assets: Iterable[str] = (), progress: Callable[[], None] = lambda: None
) -> Soundness:
    """Reads every file of every version that was not given up, or only of some assets."""
    wanted = set(assets)
    versions = (v for v in catalog.all_versions() if v.forgotten_at is None and (not wanted or v.asset in wanted))

    def examine(version: Version) -> str | None:
        progress()
        try:
            store.prove(replace(version, files=version.all_files))
        except CorruptVersionError as error:
            return str(error)
        return None

    count, size, problems = 0, 0, []
    with ThreadPoolExecutor(THREADS) as pool:
        while portion := list(islice(versions, PORTION)):
            problems += [problem for problem in pool.map(examine, portion) if problem]
            count, size = count + len(portion), size + sum(version.bytes for version in portion)
    return Soundness(count, size, tuple(problems))
