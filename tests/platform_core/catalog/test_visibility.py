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
    monkeypatch.setattr(visibility, "MOST_PLACES", len(KEYS) - 1)
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


def test_opening_a_namespace_is_a_look_and_three_rows(catalog: Catalog) -> None:
    catalog.commit(PRODUCTION, [draft("a", namespace=PRODUCTION)])
    made = statements(catalog, lambda: catalog.open_namespace(BRANCH))
    assert [line.split()[0] for line in made] == ["SELECT", "INSERT", "INSERT", "INSERT"]
    assert catalog.namespace(BRANCH).pin == 2


def test_what_opening_tells_is_what_is_known_afterwards(catalog: Catalog) -> None:
    assert catalog.open_namespace(BRANCH) == catalog.namespace(BRANCH)
    catalog.commit(BRANCH, [draft("a", namespace=BRANCH)])
    catalog.close_namespace(BRANCH)
    assert catalog.open_namespace(BRANCH, "ada", pinned=False) == catalog.namespace(BRANCH)


def test_moving_many_refs_takes_as_many_statements_as_moving_one(catalog: Catalog) -> None:
    versions = catalog.commit(PRODUCTION, [draft(f"a{number}", namespace=PRODUCTION) for number in range(50)])
    moves = [Move(version.asset, "", version.id) for version in versions]
    expects = [Expectation(PRODUCTION, version.asset, "", version.id) for version in versions]

    def promote(count: int) -> None:
        catalog.move_refs(PRODUCTION, moves[:count], kind="promote", expects=expects[:count])

    assert len(statements(catalog, lambda: promote(1))) == len(statements(catalog, lambda: promote(50))) <= 6


@pytest.mark.parametrize("most", [0, 100])
def test_places_are_not_every_asset_with_every_partition(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(visibility, "MOST_PLACES", most)
    versions = catalog.commit(PRODUCTION, [draft(asset, key, PRODUCTION) for asset in "abc" for key in KEYS[:3]])
    places = [("a", KEYS[0]), ("b", KEYS[1]), ("c", KEYS[2]), ("c", "none")]
    found = {(ref.asset, ref.partition): ref.version for ref in catalog.shown_refs(BRANCH, places)}
    assert found == {(v.asset, v.partition): v.id for v in versions if (v.asset, v.partition) in places}


@pytest.mark.parametrize("places", [None, [("a", key) for key in KEYS[:3]]])
def test_an_index_serves_what_an_asset_shows(catalog: Catalog, places: list[tuple[str, str]] | None) -> None:
    if catalog._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by the size of its tables")
    scope = Scope(BRANCH, asset="a", places=places)
    event.listen(catalog._engine, "before_cursor_execute", explained, retval=True)
    with catalog._engine.connect() as connection:
        plan = [row[3] for row in connection.execute(scope.versions, scope.parameters)]
    assert not [line for line in plan if line.startswith(("SCAN refs", "SCAN versions", "SCAN pins"))]
    by = "asset=? AND namespace=? AND partition=?" if places else "asset=?"
    assert any("refs USING COVERING INDEX" in line and by in line for line in plan)


def explained(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
    return f"EXPLAIN QUERY PLAN {statement}", parameters


def test_an_index_serves_names_ids_and_the_beginnings_of_ids(catalog: Catalog) -> None:
    if catalog._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by the size of its tables")
    (version,) = catalog.commit(TESS, [draft("a")])
    for work in (catalog.assets, lambda: catalog.version(version.id), lambda: catalog.version(version.id[:20])):
        assert [line for line in plans(catalog, work) if line.startswith("SCAN versions")] == []


def plans(catalog: Catalog, work: Callable[[], Any]) -> list[str]:
    """How the database goes about what some work asks of it."""
    seen: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    event.listen(catalog._engine, "before_cursor_execute", listen)
    work()
    event.remove(catalog._engine, "before_cursor_execute", listen)
    with catalog._engine.connect() as connection:
        return [
            row[3] for asked in seen for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1])
        ]
