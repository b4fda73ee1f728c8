"""A catalog is brought to today's tables when it is opened, by one process, completely or not at all."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, make_url, text

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import _create, open_engine
from platform_core.catalog.migrations.upgrade import _config, upgrade
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.schema import BASELINE, HEAD, prepare
from platform_core.catalog.tables import metadata
from platform_core.errors import SettingsError
from platform_core.namespaces import PRODUCTION
from tests.platform_core.drafts import BRANCH, TESS, draft
from tests.platform_core.processes import run_together

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD_ROWS = (
    "INSERT INTO namespaces VALUES ('production', NULL, NULL, 'root', :now)",
    "INSERT INTO namespaces VALUES ('branch/new-engine', 'production', 1, 'tess', :now)",
    "INSERT INTO transactions VALUES (1, 'production', 'write', 'root', '', :now)",
    "INSERT INTO transactions VALUES (2, 'production', 'write', 'root', '', :now)",
    "INSERT INTO versions VALUES ('v1', 'production', 'a', '', 'parquet', '[]', 'd', 3, '[]', '{}', :origin, :now, 1)",
    "INSERT INTO versions VALUES ('v2', 'production', 'a', '', 'parquet', '[]', 'd', 3, '[]', '{}', :origin, :now, 2)",
    "INSERT INTO refs VALUES ('a', 'production', '', 1, 'v1')",
    "INSERT INTO refs VALUES ('a', 'production', '', 2, 'v2')",
)


@pytest.fixture
def bare(url: str) -> Iterator[Engine]:
    """An engine on a database without tables."""
    engine = _create(make_url(url))
    yield engine
    engine.dispose()


def make_old(engine: Engine) -> None:
    """A catalog as the first release left it: no table says which revision it is at."""
    given = {"now": NOW, "origin": '{"run_id": "r", "inputs": []}'}
    with engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        upgrade(connection, to=BASELINE)
        for row in OLD_ROWS:
            statement = text(row)
            connection.execute(statement, {name: given[name] for name in statement._bindparams})
        connection.execute(text("DROP TABLE catalog_revision"))


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_an_old_catalog_keeps_what_it_shows(bare: Engine, url: str) -> None:
    make_old(bare)
    catalog = Catalog(open_engine(url))
    assert catalog.resolve(PRODUCTION, "a")[""].version.id == "v2"
    assert [item.version.id for item in catalog.shown_at(PRODUCTION, 1)] == ["v1"]
    assert catalog.resolve(BRANCH, "a")[""].version.id == "v1"
    assert catalog.namespace(BRANCH).pin == 1
    (written,) = catalog.commit(TESS, [draft("a")])
    assert written.transaction == 3


def test_revision_by_revision_the_tables_become_what_a_new_catalog_has(bare: Engine) -> None:
    with bare.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        upgrade(connection)
    with bare.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "none", "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_code_works_with_the_last_revision() -> None:
    assert ScriptDirectory.from_config(_config()).get_heads() == [HEAD]


def test_both_ways_number_transactions_alike(bare: Engine, url: str) -> None:
    source = text("SELECT prosrc FROM pg_proc WHERE proname = 'number_transaction'")
    if bare.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time and numbers by itself")
    prepare(bare)
    with bare.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        created = connection.scalar(source)
        connection.execute(text(f"DROP SCHEMA {connection.scalar(text('SELECT current_schema()'))} CASCADE"))
        connection.execute(text("CREATE SCHEMA again"))
        connection.execute(text("SET LOCAL search_path = again"))
        upgrade(connection)
        assert connection.scalar(source) == created
        connection.execute(text("DROP SCHEMA again CASCADE"))


def test_an_upgrade_that_fails_leaves_the_catalog_as_it_was(bare: Engine) -> None:
    make_old(bare)
    before = tables(bare)
    event.listen(bare, "before_cursor_execute", _fail_at_the_end)
    with pytest.raises(RuntimeError, match="power cut"):
        prepare(bare)
    event.remove(bare, "before_cursor_execute", _fail_at_the_end)
    assert tables(bare) == before
    assert "pin" in {column["name"] for column in inspect(bare).get_columns("namespaces")}


def _fail_at_the_end(_connection: object, _cursor: object, statement: str, *_: object) -> None:
    if "ADD COLUMN closed_at" in statement:
        raise RuntimeError("power cut")


def test_an_old_catalog_can_be_opened_by_several_processes_at_once(bare: Engine, url: str) -> None:
    make_old(bare)
    bare.dispose()
    assert run_together(open_and_read, [(url,)] * 4) == [0] * 4


def open_and_read(url: str) -> None:
    assert open_catalog(url).resolve(PRODUCTION, "a")[""].version.id == "v2"


def test_a_catalog_of_a_newer_release_is_left_alone(bare: Engine, url: str) -> None:
    prepare(bare)
    with bare.connect().execution_options(headrace_writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE catalog_revision SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=r"revision 9999, which this version of Headrace does not know .* update"):
        open_engine(url)


def test_opening_a_catalog_that_is_up_to_date_is_one_short_query(bare: Engine) -> None:
    prepare(bare)
    statements: list[str] = []
    event.listen(bare, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))
    prepare(bare)
    assert [line for line in statements if not line.startswith("BEGIN")] == [
        "SELECT catalog_revision.version_num \nFROM catalog_revision"
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_neither_a_new_nor_a_known_catalog_needs_alembic(tmp_path: Path, times: int) -> None:
    code = (
        "import sys; from platform_core.catalog.engine import open_engine;"
        f"[open_engine('sqlite:///{tmp_path}/catalog.db') for _ in range({times})];"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
