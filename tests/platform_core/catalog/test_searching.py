"""Versions are found by what is known of them, and ordered by a number, in one query however many there are."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.searching import Condition, Search
from platform_core.catalog.values import Provenance, Version
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft


def trained(
    catalog: Catalog, auc: object, /, *, namespace: Namespace = TESS, of: str = "m", **parameters: object
) -> Version:
    origin = Provenance(author="tess", git_commit="0123abcd+", parameters=parameters)
    (version,) = catalog.commit(namespace, [draft(of, namespace=namespace, metadata={"auc": auc}, provenance=origin)])
    return version


def found(catalog: Catalog, *conditions: Condition, **search: object) -> list[Version]:
    return catalog.search(TESS, Search("m", conditions=conditions, **search))  # type: ignore[arg-type]


def test_the_best_come_first_and_what_has_no_such_number_is_left_out(catalog: Catalog) -> None:
    low, high, _, even = (trained(catalog, auc) for auc in (0.7, 0.9, "none", 1))
    assert found(catalog, by="auc") == [even, high, low]
    assert found(catalog, by="auc", smallest_first=True, limit=1) == [low]
    assert found(catalog, by="brier") == []


def test_without_an_order_the_newest_come_first(catalog: Catalog) -> None:
    first, second = trained(catalog, 1), trained(catalog, 2)
    assert found(catalog) == [second, first]


@pytest.mark.parametrize(
    ("name", "comparison", "value", "expected"),
    [
        ("auc", ">", "0.75", [False, True]),
        ("auc", "<=", "0.7", [True, False]),
        ("depth", "=", "4", [True, False]),
        ("depth", "!=", "4", [False, True]),
        ("kind", "=", "tree", [True, False]),
        ("balanced", "=", "true", [True, False]),
        ('it\'s "odd"', ">", "1", [True, False]),
        ("unknown", "!=", "1", [False, False]),
    ],
)
def test_conditions_are_about_metrics_and_parameters(
    catalog: Catalog, name: str, comparison: str, value: str, expected: list[bool]
) -> None:
    odd: dict[str, Any] = {'it\'s "odd"': 2}
    one = trained(catalog, 0.7, depth=4, kind="tree", balanced=True, **odd)
    two = trained(catalog, 0.9, depth=8.0, kind="line", balanced=False)
    fitting = found(catalog, Condition(name, comparison, value))  # type: ignore[arg-type]
    assert [one in fitting, two in fitting] == expected


def test_a_condition_may_say_of_what_it_is(catalog: Catalog) -> None:
    version = trained(catalog, 0.7, auc=0.1)
    assert found(catalog, Condition("auc", ">", "0.5", "metric")) == [version]
    assert found(catalog, Condition("auc", ">", "0.5", "parameter")) == []
    assert found(catalog, Condition("auc", "<", "0.5")) == [version]


def test_tags_that_were_said_later_are_found_too(catalog: Catalog) -> None:
    version = trained(catalog, 0.7)
    trained(catalog, 0.8)
    catalog.tag(TESS, version, {"quality": "good", "ticket": "12"})
    assert found(catalog, Condition("quality", "=", "good"), Condition("ticket", "=", "12", "tag")) == [version]
    assert found(catalog, Condition("quality", "=", "bad")) == []


def test_who_when_and_from_which_commit(catalog: Catalog) -> None:
    version = trained(catalog, 0.7)
    moment, hour = version.created_at, timedelta(hours=1)
    assert found(catalog, author="tess", commit="0123", since=moment - hour, until=moment + hour) == [version]
    assert not found(catalog, author="somebody")
    assert not found(catalog, commit="123")
    assert not found(catalog, since=moment + hour)
    assert not found(catalog, until=moment - hour)


def test_own_and_productions_versions_are_searched_shown_or_not_and_others_when_asked_for(catalog: Catalog) -> None:
    theirs, ours = trained(catalog, 1, namespace=PRODUCTION), trained(catalog, 2)
    foreign = trained(catalog, 3, namespace=BRANCH)
    (refused,) = catalog.reject(TESS, [replace(draft("m"), metadata={"auc": 4})], "it is worse")
    trained(catalog, 5, of="another")
    assert found(catalog, by="auc") == [ours, theirs]
    assert found(catalog, by="auc", everywhere=True) == [foreign, ours, theirs]
    assert found(catalog, by="auc", refused=True)[0].id == refused.id
