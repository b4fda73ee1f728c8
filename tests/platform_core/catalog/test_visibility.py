"""What a namespace shows is one query, however much is asked for, and the database has an index for it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from platform_core.catalog import visibility
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Expectation, Move
from platform_core.catalog.visibility import Scope
from platform_core.namespaces import PRODUCTION
from tests.platform_core.drafts import BRANCH, TESS, draft

KEYS = [f"{number:05}" for number in range(100)]


def statements(catalog: Catalog, work: Callable[[], Any]) -> list[str]:
    """The SQL that some work executes, without what begins transactions."""
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(catalog._engine, "before_cursor_execute", listen)
    work()
    event.remove(catalog._engine, "before_cursor_execute", listen)
    return [line for line in seen if not line.startswith(("BEGIN", "SET LOCAL"))]


@pytest.fixture
def many(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """More partitions in production than one condition may name, some of which a pinned branch has made again."""
    monkeypatch.setattr(visibility, "MOST_NAMES", len(KEYS) - 1)
    catalog.commit(PRODUCTION, [draft("a", key, PRODUCTION) for key in KEYS])
    catalog.open_namespace(BRANCH)
    catalog.commit(BRANCH, [draft("a", key, BRANCH) for key in KEYS[:10]])
    return catalog


@pytest.mark.parametrize(("wanted", "found"), [(None, 100), (KEYS[5:6], 1), (KEYS, 100), ([*KEYS, "more"], 100)])
def test_any_number_of_partitions_is_one_query(many: Catalog, wanted: list[str] | None, found: int) -> None:
    assert len(statements(many, lambda: many.resolve(BRANCH, "a", wanted))) == 1
    shown = many.resolve(BRANCH, "a", wanted)
    assert len(shown) == found
    assert shown[KEYS[5]].shown_by == "branch/new-engine"


def test_a_commit_takes_as_many_statements_for_one_version_as_for_many(catalog: Catalog) -> None:
    catalog.commit(TESS, [draft("a")])
    one, many = [draft("a")], [draft(f"a{number}") for number in range(50)]
    first = statements(catalog, lambda: catalog.commit(TESS, one))
    second = statements(catalog, lambda: catalog.commit(TESS, many))
    assert len(first) == len(second) <= 5


def test_moving_many_refs_takes_as_many_statements_as_moving_one(catalog: Catalog) -> None:
    versions = catalog.commit(PRODUCTION, [draft(f"a{number}", namespace=PRODUCTION) for number in range(50)])
    moves = [Move(version.asset, "", version.id) for version in versions]
    expects = [Expectation(PRODUCTION, version.asset, "", version.id) for version in versions]

    def promote(count: int) -> None:
        catalog.move_refs(PRODUCTION, moves[:count], kind="promote", expects=expects[:count])

    assert len(statements(catalog, lambda: promote(1))) == len(statements(catalog, lambda: promote(50))) <= 5


@pytest.mark.parametrize("partitions", [None, KEYS[:3]])
def test_an_index_serves_what_an_asset_shows(catalog: Catalog, partitions: list[str] | None) -> None:
    if catalog._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by the size of its tables")
    scope = Scope(BRANCH, assets=["a"], partitions=partitions)
    event.listen(catalog._engine, "before_cursor_execute", explained, retval=True)
    with catalog._engine.connect() as connection:
        plan = [row[3] for row in connection.execute(scope.versions, scope.parameters)]
    assert not [line for line in plan if line.startswith(("SCAN refs", "SCAN versions", "SCAN pins"))]
    assert any("refs USING COVERING INDEX" in line and "asset=?" in line for line in plan)


def explained(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
    return f"EXPLAIN QUERY PLAN {statement}", parameters
