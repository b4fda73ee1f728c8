"""A place of its own for what must leave no trace: a namespace and a folder, removed whatever becomes of it.

A process that is killed cannot clean up; what it left is found by its lock, which the system took back, and removed.
"""

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platform_core.catalog.catalog import Catalog
from platform_core.namespaces import Namespace
from platform_core.settings import current_settings

_LOCK = "namespace"  # the file that is locked while a throwaway is in use, and says which namespace it is


@dataclass(frozen=True)
class Throwaway:
    """A namespace that shows production as it is now and nothing of its own, and a folder that lasts as long."""

    namespace: Namespace
    folder: Path


@contextmanager
def throwaway(catalog: Catalog, beside: Namespace) -> Iterator[Throwaway]:
    """Opens one beside a personal namespace, which stays as it is. What killed processes left is removed first.

    Versions that are committed to it stay in the catalog, by their ids.
    """
    home = current_settings().home / "throwaways"
    home.mkdir(parents=True, exist_ok=True)
    _remove_left(catalog, home)
    own = _new(beside, home)
    own.folder.mkdir()
    with (own.folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(own.namespace, file=lock, flush=True)  # before it is opened: a kill in between leaves this file alone
        try:
            catalog.open_namespace(own.namespace)
            yield own
        finally:
            _remove(catalog, own)


def _new(beside: Namespace, home: Path) -> Throwaway:
    namespace = Namespace.parse(beside.throwaways + secrets.token_hex(3))
    return Throwaway(namespace, home / namespace.slug)


def _remove_left(catalog: Catalog, home: Path) -> None:
    """Removes what is left of processes that are gone; what is in use, or of another catalog, is left alone."""
    for path in home.glob(f"*/{_LOCK}"):
        with path.open() as lock:
            if _is_free(lock) and (name := lock.read().strip()) in _opened(catalog):
                _remove(catalog, Throwaway(Namespace.parse(name), path.parent))


def _opened(catalog: Catalog) -> set[str]:
    return {record.name for record in catalog.namespaces()}


def _is_free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(catalog: Catalog, left: Throwaway) -> None:
    """The folder goes last, and with it the lock: who is killed in between has left it to the next."""
    if str(left.namespace) in _opened(catalog):
        catalog.close_namespace(left.namespace)
    shutil.rmtree(left.folder)
