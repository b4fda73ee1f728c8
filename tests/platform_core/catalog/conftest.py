"""The catalog keeps its promises on every database it supports: its tests run on all of them."""

from collections.abc import Iterator

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from tests.platform_core.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: object) -> str:
    """The address of a catalog that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_catalog()


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    catalog = Catalog(open_engine(url))
    yield catalog
    catalog._engine.dispose()
