"""JSON is taken apart alike by every database."""

import pytest
from sqlalchemy import literal_column, select

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.dialects import pairs, pairs_text, sizes

TRICKY = [
    ("", ""),
    ("a/b", "2026-01"),
    ("it's", 'a "quote" \\ and %s :x'),
    ("ключ", "日本 🎉"),
    ("null", "[1, 2]"),
    ("1", "01"),
]


@pytest.mark.parametrize("given", [[], TRICKY[:1], TRICKY])
def test_pairs_come_back_as_the_texts_they_were(catalog: Catalog, given: list[tuple[str, str]]) -> None:
    table = pairs("wanted")
    with catalog._engine.connect() as connection:
        rows = connection.execute(select(table.c.a, table.c.b), {"wanted": pairs_text(given)}).all()
    assert [tuple(row) for row in rows] == sorted(given)


@pytest.mark.parametrize(
    ("files", "total"), [("[]", None), ('[{"size": 3}]', 3), ('[{"size": 3}, {"size": 9876543210}]', 9876543213)]
)
def test_sizes_are_added(catalog: Catalog, files: str, total: int | None) -> None:
    column = f"CAST('{files}' AS JSON)" if catalog._engine.dialect.name == "postgresql" else f"'{files}'"
    with catalog._engine.connect() as connection:
        assert connection.scalar(select(sizes(literal_column(column)))) == total
