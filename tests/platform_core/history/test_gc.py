"""Only what nobody can reach is removed."""

import os
import time
from datetime import timedelta
from pathlib import Path

import polars as pl

from platform_core.history.gc import Garbage, collect, find_garbage, folder_of
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.history.values import TESS, Writer, orders

NOW = timedelta(0)
BRANCH = Namespace("branch", "try")


def _garbage(write: Writer, keep: timedelta = NOW, grace: timedelta = NOW) -> Garbage:
    return find_garbage(write.catalog, write.store, keep, grace)


def test_what_is_current_anywhere_stays_and_what_is_not_goes(write: Writer) -> None:
    old, new, production = write(orders()), write(orders()), write(orders(), namespace=PRODUCTION)
    garbage = _garbage(write)
    assert [version.id for version in garbage.versions] == [old.id]
    assert list(collect(write.catalog, write.store, garbage)) == [folder_of(old)]
    assert not write.store.path(folder_of(old)).exists()
    for version in (new, production):
        assert len(read_versions(write.store, [version], pl.DataFrame)) == 3
    assert _garbage(write) == Garbage((), ())


def test_what_a_pin_shows_stays(write: Writer) -> None:
    pinned = write(orders(), namespace=PRODUCTION)
    write.catalog.open_namespace(BRANCH, "tess")
    write(orders(), namespace=PRODUCTION)
    assert _garbage(write) == Garbage((), ())
    write.catalog.sync_namespace(BRANCH)
    assert [version.id for version in _garbage(write).versions] == [pinned.id]


def test_what_was_current_lately_stays(write: Writer) -> None:
    write(orders())
    write(orders())
    assert _garbage(write, keep=timedelta(hours=1)) == Garbage((), ())


def test_nothing_young_is_touched(write: Writer) -> None:
    write(orders())
    write(orders())
    write_version(write.store, orders(), Target(TESS, "shop/orders"))  # never committed
    assert _garbage(write, grace=timedelta(hours=1)) == Garbage((), ())


def test_what_an_interrupted_write_left_behind_is_found_after_its_grace_time(write: Writer) -> None:
    kept = write(orders())
    draft = write_version(write.store, orders(), Target(TESS, "shop/orders"))
    _age(write.store.path(folder_of(draft)), hours=25)
    garbage = find_garbage(write.catalog, write.store)
    assert garbage == Garbage((), (folder_of(draft),))
    list(collect(write.catalog, write.store, garbage))
    assert not write.store.path(folder_of(draft)).exists()
    assert len(read_versions(write.store, [kept], pl.DataFrame)) == 3


def _age(folder: Path, hours: int) -> None:
    then = time.time() - hours * 3600
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))


def test_what_became_current_since_it_was_found_stays(write: Writer) -> None:
    old = write(orders())
    write(orders())
    garbage = _garbage(write)
    steps = [_back_to(write, old.transaction)]
    assert steps
    assert list(collect(write.catalog, write.store, garbage)) == []
    assert len(read_versions(write.store, [old], pl.DataFrame)) == 3


def _back_to(write: Writer, transaction: int) -> int:
    from platform_core.history.rollback import plan_rollback, roll_back

    return roll_back(write.catalog, TESS, plan_rollback(write.catalog, TESS, transaction), "back")


def test_an_interrupted_collection_is_taken_up_again(write: Writer) -> None:
    old = write(orders())
    write(orders())
    write.catalog.forget([old.id])  # killed before the files went
    garbage = _garbage(write)
    assert [version.id for version in garbage.versions] == [old.id]
    assert list(collect(write.catalog, write.store, garbage)) == [folder_of(old)]
