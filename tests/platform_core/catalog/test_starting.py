"""A run reads as of one transaction, whichever of its processes asks, and besides what it wrote itself."""

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.values import AsOf, Provenance, Version
from platform_core.errors import NotFoundError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.catalog.test_visibility import statements
from tests.platform_core.drafts import BRANCH, TESS, draft
from tests.platform_core.processes import run_together

RUN = "6f1d9c1e"


def write(catalog: Catalog, asset: str, run: str = "", namespace: Namespace = TESS) -> Version:
    (version,) = catalog.commit(namespace, [draft(asset, "", namespace, provenance=Provenance(run_id=run))])
    return version


def read(catalog: Catalog, asset: str, run: str = RUN, namespace: Namespace = TESS) -> str | None:
    found = catalog.resolve(namespace, asset, as_of=catalog.as_of_run(namespace, run))
    return found[""].version.id if found else None


def test_a_run_takes_no_notice_of_what_others_commit_after_it_started(catalog: Catalog) -> None:
    before = write(catalog, "a")
    assert catalog.as_of_run(TESS, RUN) == AsOf(before.transaction, RUN)
    after, new = write(catalog, "a"), write(catalog, "b", "another")
    assert (read(catalog, "a"), read(catalog, "b")) == (before.id, None)
    assert (read(catalog, "a", "later"), read(catalog, "b", "later")) == (after.id, new.id)
    with pytest.raises(NotFoundError, match="b has no version in user/tess yet"):
        catalog.require(TESS, "b", [""], catalog.as_of_run(TESS, RUN))


def test_a_run_sees_what_it_wrote_itself_whatever_others_wrote_since(catalog: Catalog) -> None:
    write(catalog, "a")
    catalog.as_of_run(TESS, RUN)
    write(catalog, "a", "another")
    own = write(catalog, "a", RUN)
    write(catalog, "a", "another")
    assert read(catalog, "a") == own.id


def test_nor_does_a_run_take_notice_of_what_was_withdrawn_or_moved_since(catalog: Catalog) -> None:
    theirs, ours = write(catalog, "a", namespace=PRODUCTION), write(catalog, "a", namespace=BRANCH)
    catalog.open_namespace(TESS)
    assert read(catalog, "a", namespace=BRANCH) == ours.id
    assert read(catalog, "a") == theirs.id
    write(catalog, "a", namespace=PRODUCTION)
    catalog.sync_namespace(TESS)
    catalog.close_namespace(BRANCH)
    assert read(catalog, "a", namespace=BRANCH) == ours.id
    assert read(catalog, "a") == theirs.id
    assert read(catalog, "a", "later") != theirs.id


def test_a_run_in_a_catalog_without_a_transaction_starts_before_the_first(catalog: Catalog) -> None:
    assert catalog.as_of_run(TESS, RUN) == AsOf(0, RUN)
    write(catalog, "a")
    assert read(catalog, "a") is None
    assert read(catalog, "a", namespace=BRANCH) is None


def test_a_run_is_asked_about_once_and_each_read_is_one_query(catalog: Catalog, url: str) -> None:
    write(catalog, "a")
    catalog.as_of_run(TESS, RUN)
    own = write(catalog, "a", RUN)
    another_process = Catalog(open_engine(url))
    assert len(statements(another_process, lambda: another_process.as_of_run(TESS, RUN))) == 1
    assert len(statements(another_process, lambda: read(another_process, "a"))) == 1
    assert read(another_process, "a") == own.id
    another_process._engine.dispose()


def test_of_several_processes_that_ask_at_once_all_get_one_number(url: str) -> None:
    catalog = Catalog(open_engine(url))
    asked = [(url, f"run{number % 5}") for number in range(4)]
    assert run_together(ask_and_write, asked) == [0] * 4
    for number in range(20):
        told = {version.metadata["as of"] for version in catalog.written([n + 1 for n in range(80)])
                if version.asset == f"run{number}"}  # fmt: skip
        assert told == {catalog.as_of_run(TESS, f"run{number}").transaction}
    catalog._engine.dispose()


def ask_and_write(url: str, _name: str) -> None:
    """Takes part in twenty runs, and commits between them what makes the next number another one."""
    catalog = Catalog(open_engine(url))
    for number in range(20):
        as_of = catalog.as_of_run(TESS, f"run{number}")
        catalog.commit(TESS, [draft(f"run{number}", metadata={"as of": as_of.transaction})])
