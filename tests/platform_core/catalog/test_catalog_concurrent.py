"""Several processes write to one catalog at once, and nothing is lost."""

from collections import Counter
from pathlib import Path

from platform_core.catalog.catalog import Catalog, open_catalog
from platform_core.catalog.engine import open_engine
from platform_core.namespaces import Namespace
from tests.platform_core.drafts import TESS, draft
from tests.platform_core.processes import run_together

WRITERS, COMMITS = 4, 20


def write(url: str, name: str) -> None:
    """Writes the shared asset and one of its own, over and over."""
    catalog = open_catalog(url)
    for number in range(COMMITS):
        catalog.commit(
            TESS, [draft("shared", id=f"{name}-{number:02}-s"), draft(name, str(number), id=f"{name}-{number:02}")]
        )


def open_and_write_once(url: str, name: str) -> None:
    namespace = Namespace("user", name)
    open_catalog(url).commit(namespace, [draft("a", namespace=namespace)])


def test_no_update_of_several_writers_is_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalog.db"
    names = [f"writer-{number}" for number in range(WRITERS)]
    assert run_together(write, [(url, name) for name in names]) == [0] * WRITERS
    catalog = Catalog(open_engine(url))
    for name in names:
        assert set(catalog.resolve(TESS, name)) == {str(number) for number in range(COMMITS)}
    history = catalog.history(TESS, "shared")
    assert Counter(item.version.id.rpartition("-")[0] for item in history) == Counter(
        f"{name}-{number:02}" for name in names for number in range(COMMITS)
    )
    _transactions_are_in_order(catalog, names)


def _transactions_are_in_order(catalog: Catalog, names: list[str]) -> None:
    numbers = [transaction.number for transaction in catalog.transactions(TESS)]
    assert numbers == list(range(1, WRITERS * COMMITS + 1))
    for name in names:
        mine = [shown.version for shown in reversed(catalog.history(TESS, name))]
        assert [version.id for version in mine] == [f"{name}-{number:02}" for number in range(COMMITS)]
        assert [version.transaction for version in mine] == sorted({version.transaction for version in mine})
    newest = catalog.resolve(TESS, "shared")[""].version
    assert newest.transaction == numbers[-1]


def test_a_new_catalog_can_be_opened_by_several_processes_at_once(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{number}/catalog.db" for number in range(5)]
    arguments = [(url, f"writer-{number}") for url in urls for number in range(3)]
    assert run_together(open_and_write_once, arguments) == [0] * len(arguments)
    for url in urls:
        assert Catalog(open_engine(url)).assets() == ["a"]
