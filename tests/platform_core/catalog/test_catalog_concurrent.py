"""Several processes write to one catalog at once, and nothing is lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import Expectation
from platform_core.errors import ConflictError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import TESS, draft
from tests.platform_core.processes import run_together

WRITERS, COMMITS, PROMOTIONS = 4, 15, 8


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


def test_no_update_of_several_writers_is_lost(url: str) -> None:
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


def test_a_new_catalog_can_be_opened_by_several_processes_at_once(url: str) -> None:
    names = [f"writer-{number}" for number in range(WRITERS)]
    assert run_together(open_and_write_once, [(url, name) for name in names]) == [0] * WRITERS
    catalog = Catalog(open_engine(url))
    assert catalog.assets() == ["a"]
    assert [space.name for space in catalog.namespaces()] == ["production", *(f"user/{name}" for name in names)]


def promote_over_and_over(url: str, name: str) -> None:
    """Reads what production shows and moves it on, as a promotion does; tries again when another one was quicker."""
    catalog = open_catalog(url)
    for number in range(PROMOTIONS):
        while True:
            shown = catalog.resolve(PRODUCTION, "shared")[""].version
            new = draft("shared", namespace=PRODUCTION, id=f"{name}-{number:02}", metadata={"after": shown.id})
            try:
                catalog.commit(PRODUCTION, [new], expects=[Expectation(PRODUCTION, "shared", "", shown.id)])
                break
            except ConflictError:
                continue


def test_of_two_promotions_that_read_the_same_one_wins_and_the_other_is_told(url: str) -> None:
    catalog = Catalog(open_engine(url))
    catalog.commit(PRODUCTION, [draft("shared", namespace=PRODUCTION, id="first")])
    catalog._engine.dispose()
    assert run_together(promote_over_and_over, [(url, f"writer-{number}") for number in range(3)]) == [0] * 3
    chain = [shown.version for shown in reversed(catalog.history(PRODUCTION, "shared"))]
    assert len(chain) == 3 * PROMOTIONS + 1
    for earlier, later in pairwise(chain):
        assert later.metadata["after"] == later.replaces == earlier.id


def test_a_transaction_never_becomes_visible_after_a_later_one(url: str) -> None:
    """A reader that has seen a number has seen everything up to it, or a pin would let more in later."""
    open_engine(url).dispose()
    writers = [(url, f"writer-{number}") for number in range(2)]
    with ThreadPoolExecutor() as pool:
        done = pool.submit(run_together, write, writers)
        catalog = Catalog(open_engine(url))
        while not done.done():
            numbers = [done.number for done in catalog.transactions(TESS)]
            assert numbers == list(range(1, len(numbers) + 1))
    assert done.result() == [0, 0]


def test_readers_do_not_wait_for_a_writer(url: str) -> None:
    catalog, other = Catalog(open_engine(url)), Catalog(open_engine(url))
    (before,) = catalog.commit(TESS, [draft("a")])
    with catalog._engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        assert other.resolve(TESS, "a")[""].version == before
