"""What must leave no trace leaves none, whatever becomes of its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.environments.throwaways import Throwaway, throwaway
from platform_core.errors import NamespaceError
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import current_settings
from tests.platform_core.drafts import TESS, draft

STAYS = """
import time
from platform_core.catalog.opening import open_catalog
from platform_core.environments.throwaways import throwaway
from platform_core.namespaces import Namespace
from platform_core.settings import current_settings

with throwaway(open_catalog(current_settings().catalog), Namespace("user", "tess")) as own:
    (own.folder / "left").touch()
    print(own.namespace, own.folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def catalog() -> Catalog:
    """The one of the settings, as other processes find it."""
    return open_catalog(current_settings().catalog)


def opened(catalog: Catalog) -> set[str]:
    return {record.name for record in catalog.namespaces()} - {str(PRODUCTION), str(TESS)}


def a_process() -> tuple["subprocess.Popen[str]", Throwaway]:
    """A process that uses one, for as long as it lives."""
    process = subprocess.Popen([sys.executable, "-c", STAYS], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    namespace, folder = process.stdout.readline().split()
    return process, Throwaway(Namespace.parse(namespace), Path(folder))


def test_it_shows_production_and_none_of_what_is_beside_it(catalog: Catalog) -> None:
    (theirs,) = catalog.commit(PRODUCTION, [draft("t/a", namespace=PRODUCTION)])
    catalog.commit(TESS, [draft("t/a")])
    with throwaway(catalog, TESS) as own:
        assert own.folder.is_dir()
        assert opened(catalog) == {str(own.namespace)}
        assert catalog.resolve(own.namespace, "t/a")[""].version == theirs


def test_it_is_closed_and_what_was_committed_to_it_stays(catalog: Catalog) -> None:
    (shown,) = catalog.commit(TESS, [draft("t/a")])
    with throwaway(catalog, TESS) as own:
        (made,) = catalog.commit(own.namespace, [draft("t/a", namespace=own.namespace)])
    assert opened(catalog) == set()
    assert not own.folder.exists()
    assert catalog.version(made.id, "t/a") == made
    assert catalog.resolve(TESS, "t/a")[""].version == shown


def test_it_is_closed_after_an_error_too(catalog: Catalog) -> None:
    with pytest.raises(KeyError), throwaway(catalog, TESS) as own:
        raise KeyError
    assert opened(catalog) == set()
    assert not own.folder.exists()


def test_what_a_killed_process_left_is_removed_by_the_next(catalog: Catalog) -> None:
    process, left = a_process()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert opened(catalog) == {str(left.namespace)}
    assert (left.folder / "left").exists()
    with throwaway(catalog, TESS) as own:
        assert opened(catalog) == {str(own.namespace)}
        assert own.namespace != left.namespace
        assert not left.folder.exists()


def test_what_another_process_uses_is_left_alone(catalog: Catalog) -> None:
    process, theirs = a_process()
    with throwaway(catalog, TESS) as own:
        assert opened(catalog) == {str(own.namespace), str(theirs.namespace)}
    assert (theirs.folder / "left").exists()
    process.kill()
    process.wait()


def test_one_that_cannot_be_opened_leaves_nothing(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_namespace: Namespace) -> None:
        raise NamespaceError("It is open already.")

    monkeypatch.setattr(catalog, "open_namespace", refuse)
    with pytest.raises(NamespaceError, match="open already"), throwaway(catalog, TESS):
        pytest.fail("it must not begin")
    assert list((current_settings().home / "throwaways").iterdir()) == []
