"""The Dagster instance of a namespace: its home, and its schema where instances are kept in PostgreSQL."""

import os
import shutil
from pathlib import Path

import yaml

from platform_core.instance_settings import PASSWORD, URL, instance_settings, merged, schema_of
from platform_core.namespaces import Namespace
from platform_core.settings import Settings


def prepare_dagster_home(settings: Settings) -> Path:
    """Creates the Dagster home of the current namespace, and makes this process use it."""
    home = make_dagster_home(settings, settings.writes_to, settings.repository)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def make_dagster_home(settings: Settings, namespace: Namespace, repository: Path) -> Path:
    """Creates the Dagster home of a namespace with a repository's dagster.yaml in it: a link to it, or a copy with what
    settings change.

    Those of production and of branches are in PostgreSQL where settings say so; they are found by this process and by
    what that starts.
    """
    home = home_of(settings, namespace)
    home.mkdir(parents=True, exist_ok=True)
    if in_database(namespace):
        _use_database(namespace)
    path, source = home / "dagster.yaml", repository / "dagster.yaml"
    changes = instance_settings().changes(namespace)
    text = yaml.safe_dump(merged(yaml.safe_load(source.read_text()), changes)) if changes else ""
    if not _is_as_wanted(path, source, text):
        scratch = home / f".dagster.yaml.{os.getpid()}"
        scratch.write_text(text) if text else scratch.symlink_to(source)
        scratch.replace(path)  # at once: another process may be reading it
    return home


def home_of(settings: Settings, namespace: Namespace) -> Path:
    return settings.home / "dagster" / namespace.slug


def in_database(namespace: Namespace) -> bool:
    """Whether the instance of a namespace is in PostgreSQL."""
    return schema_of(namespace) is not None and bool(instance_settings().dagster)


def known_home(settings: Settings, namespace: Namespace) -> Path | None:
    """The home of an instance that was made before, wherever; None where it may well have none yet."""
    home = home_of(settings, namespace)
    if (home / "dagster.yaml").exists():
        return home
    return make_dagster_home(settings, namespace, settings.repository) if in_database(namespace) else None


def remove_dagster_home(settings: Settings, namespace: Namespace) -> None:
    """Removes everything that the Dagster instance of a namespace consists of."""
    shutil.rmtree(home_of(settings, namespace), ignore_errors=True)
    if in_database(namespace):
        _execute(instance_settings().dagster, f"DROP SCHEMA IF EXISTS {schema_of(namespace)} CASCADE")


def _is_as_wanted(path: Path, source: Path, text: str) -> bool:
    if path.is_symlink():
        return not text and Path(os.readlink(path)) == source
    return bool(text) and path.is_file() and path.read_text() == text


def _use_database(namespace: Namespace) -> None:
    chosen, schema = instance_settings(), schema_of(namespace)
    # Two that create one schema at the same time would fail, whatever is said about its existence.
    locked = f"SELECT pg_advisory_xact_lock(hashtext('{schema}'))"
    missing = f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'"
    if not _execute(chosen.dagster, missing):
        _execute(chosen.dagster, locked, f"CREATE SCHEMA IF NOT EXISTS {schema}")
    os.environ[URL] = chosen.url
    if chosen.password:
        os.environ[PASSWORD] = chosen.password


def _execute(url: str, *statements: str) -> bool:
    """Whether the last of some statements, in one transaction, found anything."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(url, poolclass=NullPool).begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        return results[-1].returns_rows and results[-1].first() is not None
