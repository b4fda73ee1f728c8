"""Branch deployments in the catalog: with their namespace or not at all, and a promotion with its log or not at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_core.catalog.branch_values import Branch, Promotion
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Expectation
from platform_core.errors import ConflictError, NamespaceError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import draft

NEW_ENGINE = Namespace("branch", "new-engine")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BRANCH = Branch(str(NEW_ENGINE), "new-engine", "c0ffee", "/src", NOW + timedelta(days=14))
LOG = Promotion(0, "", str(NEW_ENGINE), "digest", "token-1", "ci", NOW)


def test_a_branch_is_there_with_its_namespace_and_gone_when_removed(catalog: Catalog) -> None:
    record = catalog.open_branch(BRANCH, "eve")
    assert record.pin == record.since
    assert catalog.branch(NEW_ENGINE) == BRANCH
    assert [(branch, known.owner) for branch, known in catalog.branches()] == [(BRANCH, "eve")]
    catalog.close_namespace(NEW_ENGINE)
    catalog.remove_branch(NEW_ENGINE)
    assert catalog.branch(NEW_ENGINE) is None
    assert catalog.branches() == []


def test_an_open_branch_is_not_opened_again(catalog: Catalog) -> None:
    catalog.open_branch(BRANCH)
    with pytest.raises(NamespaceError, match="branch/new-engine is open already; end it with: headrace branch close"):
        catalog.open_branch(BRANCH)


def test_one_of_which_something_is_left_is_not_opened_again(catalog: Catalog) -> None:
    catalog.open_branch(BRANCH)
    catalog.close_namespace(NEW_ENGINE)
    with pytest.raises(NamespaceError, match="is only half closed"):
        catalog.open_branch(BRANCH)


def test_a_namespace_that_is_open_without_a_branch_is_refused_and_no_branch_is_noted(catalog: Catalog) -> None:
    catalog.open_namespace(NEW_ENGINE)
    with pytest.raises(NamespaceError, match="is open already"):
        catalog.open_branch(BRANCH)
    assert catalog.branch(NEW_ENGINE) is None


def test_a_branch_is_kept_until_a_time_or_for_good(catalog: Catalog) -> None:
    catalog.open_branch(BRANCH)
    catalog.keep_branch(NEW_ENGINE, None)
    assert catalog.branch(NEW_ENGINE) == replace(BRANCH, expires_at=None)


def test_a_promotion_shows_its_versions_and_is_noted(catalog: Catalog) -> None:
    catalog.open_branch(BRANCH)
    (done,) = catalog.promote(PRODUCTION, [draft("flights/a", namespace=PRODUCTION)], [], LOG)
    assert catalog.resolve(PRODUCTION, "flights/a")[""].version.id == done.id
    assert catalog.promotions(NEW_ENGINE) == [replace(LOG, transaction=done.transaction, namespace="production")]
    assert catalog.transaction(done.transaction).kind == "promote"
    assert catalog.promotions(Namespace("branch", "other")) == []


def test_a_token_is_good_for_one_promotion(catalog: Catalog) -> None:
    catalog.open_branch(BRANCH)
    (first,) = catalog.promote(PRODUCTION, [draft("flights/a", namespace=PRODUCTION)], [], LOG)
    with pytest.raises(ConflictError, match=f"this token let transaction {first.transaction} happen"):
        catalog.promote(PRODUCTION, [draft("flights/a", namespace=PRODUCTION)], [], LOG)
    assert catalog.resolve(PRODUCTION, "flights/a")[""].version.id == first.id


def test_what_moved_meanwhile_keeps_a_promotion_from_happening(catalog: Catalog) -> None:
    catalog.open_branch(BRANCH)
    catalog.commit(PRODUCTION, [draft("flights/read", namespace=PRODUCTION)])
    expects = [Expectation(PRODUCTION, "flights/read", "", None)]
    with pytest.raises(ConflictError, match="flights/read moved in the meantime"):
        catalog.promote(PRODUCTION, [draft("flights/a", namespace=PRODUCTION)], expects, LOG)
    assert catalog.resolve(PRODUCTION, "flights/a") == {}
    assert catalog.promotions() == []
