"""Schemas of PostgreSQL, by its own programs `pg_dump` and `pg_restore`."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from platform_core.errors import RecoveryError


def schema_of(url: str) -> str:
    """The schema that a URL leads to."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return str(connection.scalar(text("SELECT current_schema()")))


def tables_in(url: str, schema: str) -> int:
    """How many tables a schema has; 0 when it does not exist."""
    query = text("SELECT count(*) FROM pg_tables WHERE schemaname = :schema")
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return int(connection.scalar(query, {"schema": schema}) or 0)


def dump(url: str, schema: str, target: Path) -> None:
    """A consistent copy of a schema, as of one moment.

    Raises:
        RecoveryError: pg_dump is not there, or fails.
    """
    _run("pg_dump", url, "--format=custom", f"--schema={schema}", f"--file={target}")


def restore(url: str, source: Path) -> None:
    """Puts a schema in the place of one of the same name, in one transaction.

    Raises:
        RecoveryError: pg_restore is not there, or fails; then nothing has changed.
    """
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run("pg_restore", url, *options, str(source))


def _run(program: str, url: str, *options: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise RecoveryError(
            f"{program} is not installed here, which PostgreSQL brings: install it (Debian: postgresql-client) in the"
            " release of the server or a later one."
        )
    parsed = make_url(url)
    # The password goes by the environment: arguments are seen by every user of the machine.
    environment = {**os.environ, **({"PGPASSWORD": str(parsed.password)} if parsed.password else {})}
    query = {name: value for name, value in parsed.query.items() if name != "options"}
    plain = parsed.set(drivername="postgresql", password=None, query=query).render_as_string(hide_password=False)
    done = subprocess.run(
        [path, f"--dbname={plain}", *options], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = next((line for line in done.stderr.splitlines() if "error" in line), f"exit code {done.returncode}")
        raise RecoveryError(f"{program} failed: {reason.strip()}")
