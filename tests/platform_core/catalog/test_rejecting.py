"""What was refused is there to be looked at, and nothing makes it current."""

from datetime import timedelta

import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Move
from platform_core.errors import ConflictError, NamespaceError
from platform_core.history.gc import find_garbage
from platform_core.namespaces import PRODUCTION
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS, draft


def test_a_refused_version_is_found_by_id_and_shown_by_nobody(catalog: Catalog) -> None:
    (bad,) = catalog.reject(TESS, [draft("a")], "too few rows")
    assert catalog.version(bad.id).rejected == "too few rows"
    assert catalog.current(TESS) == []
    assert catalog.history(TESS, "a") == []
    assert catalog.transaction(bad.transaction).kind == "reject"


def test_only_what_was_never_shown_is_unpublished(catalog: Catalog) -> None:
    catalog.commit(TESS, [draft("a", "1")])
    catalog.commit(TESS, [draft("a", "1")])
    (one,) = catalog.reject(TESS, [draft("a", "1")], "no")
    (two,) = catalog.reject(TESS, [draft("a", "2")], "no")
    catalog.reject(TESS, [draft("b")], "no")
    assert [item.id for item in catalog.unpublished(TESS, "a")] == [two.id, one.id]
    assert [item.id for item in catalog.unpublished(TESS, "a", "1")] == [one.id]
    assert catalog.unpublished(PRODUCTION, "a") == []


def test_no_transaction_can_make_it_current(catalog: Catalog) -> None:
    (good,) = catalog.commit(TESS, [draft("a")])
    (bad,) = catalog.reject(TESS, [draft("a")], "too few rows")
    with pytest.raises(ConflictError, match="too few rows"):
        catalog.move_refs(TESS, [Move("a", "", good.id), Move("a", "", bad.id)], kind="promote")
    assert catalog.resolve(TESS, "a")[""].version.id == good.id


def test_a_closed_namespace_keeps_nothing_more(catalog: Catalog) -> None:
    catalog.open_namespace(TESS)
    catalog.close_namespace(TESS)
    with pytest.raises(NamespaceError, match="was closed"):
        catalog.reject(TESS, [draft("a")], "no")


def test_it_is_kept_as_long_as_what_was_shown(catalog: Catalog, store: LocalStore) -> None:
    written = write_version(store, pl.DataFrame({"a": [1]}), Target(TESS, "a"))
    (bad,) = catalog.reject(TESS, [written], "no")
    soon, at_once = timedelta(days=30), timedelta(seconds=-1)
    assert find_garbage(catalog, store, keep=soon, grace=at_once).versions == ()
    assert [item.id for item in find_garbage(catalog, store, keep=at_once, grace=at_once).versions] == [bad.id]
