"""A process that is killed at any instruction leaves the namespace as it was, or with the whole new version."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.store.local import LocalStore
from platform_core.store.opening import open_store
from platform_core.store.store import Store
from platform_core.store.values import Target, read_versions, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.processes import run_together

ASSET = "flights/weather"
OLD, NEW = pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2, 3]})


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after_making_the_folder(patch: pytest.MonkeyPatch, _catalog: Catalog) -> None:
    made = LocalStore.new_folder
    patch.setattr(LocalStore, "new_folder", lambda store, key: die(made(store, key)))


def in_the_middle_of_a_file(patch: pytest.MonkeyPatch, _catalog: Catalog) -> None:
    patch.setattr(
        "platform_core.store.values.write_table", lambda _value, folder: die((folder / "x").write_bytes(b"PAR1"))
    )


def before_the_files_are_sealed(patch: pytest.MonkeyPatch, _catalog: Catalog) -> None:
    patch.setattr(LocalStore, "seal", die)


def before_the_transaction(patch: pytest.MonkeyPatch, _catalog: Catalog) -> None:
    patch.setattr(Catalog, "commit", die)


def between_the_version_and_its_ref(patch: pytest.MonkeyPatch, _catalog: Catalog) -> None:
    patch.setattr("platform_core.catalog.writing._point", die)


def at_the_end_of_the_transaction(_patch: pytest.MonkeyPatch, catalog: Catalog) -> None:
    event.listen(catalog._engine, "commit", die)


def after_the_transaction(patch: pytest.MonkeyPatch, _catalog: Catalog) -> None:
    committed = Catalog.commit
    patch.setattr(Catalog, "commit", lambda *given: die(committed(*given)))


Moment = Callable[[pytest.MonkeyPatch, Catalog], None]
TOO_EARLY = [
    after_making_the_folder,
    in_the_middle_of_a_file,
    before_the_files_are_sealed,
    before_the_transaction,
    between_the_version_and_its_ref,
    at_the_end_of_the_transaction,
]


def write(store: Store, catalog: Catalog, frame: pl.DataFrame) -> None:
    catalog.commit(TESS, [write_version(store, frame, Target(TESS, ASSET))])


def write_until(moment: Moment, store: str, url: str) -> None:
    catalog = open_catalog(url)
    moment(pytest.MonkeyPatch(), catalog)
    write(open_store(store), catalog, NEW)


@pytest.fixture
def places(tmp_path: Path) -> tuple[str, str]:
    """A store and a catalog in which the old version is shown."""
    store, url = str(tmp_path / "store"), f"sqlite:///{tmp_path}/catalog.db"
    write(open_store(store), open_catalog(url), OLD)
    return store, url


def shown(store: str, url: str) -> pl.DataFrame:
    frame = read_versions(LocalStore(Path(store)), [open_catalog(url).resolve(TESS, ASSET)[""].version])
    assert isinstance(frame, pl.DataFrame)
    return frame


@pytest.mark.parametrize("moment", TOO_EARLY)
def test_killed_before_the_commit_ends_the_namespace_is_as_it_was(moment: Moment, places: tuple[str, str]) -> None:
    assert run_together(write_until, [(moment, *places)]) == [-signal.SIGKILL]
    catalog = open_catalog(places[1])
    assert shown(*places).equals(OLD)
    assert len(catalog.history(TESS, ASSET)) == len(catalog.transactions(TESS)) == 1


@pytest.mark.parametrize("moment", [before_the_transaction, at_the_end_of_the_transaction])
def test_whoever_comes_next_can_write(moment: Moment, places: tuple[str, str]) -> None:
    run_together(write_until, [(moment, *places)])
    write(open_store(places[0]), open_catalog(places[1]), NEW)
    assert shown(*places).equals(NEW)


def test_killed_after_the_commit_the_whole_new_version_is_shown(places: tuple[str, str]) -> None:
    assert run_together(write_until, [(after_the_transaction, *places)]) == [-signal.SIGKILL]
    assert shown(*places).equals(NEW)
