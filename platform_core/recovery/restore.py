"""Puts a backup in the place of what is there."""

import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.pool import NullPool

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.schema import HEAD
from platform_core.errors import RecoveryError
from platform_core.instance_settings import SCHEMA, InstanceSettings
from platform_core.recovery.backup import CATALOG, CATALOG_DUMP, DAGSTER, DAGSTER_DUMP
from platform_core.recovery.manifest import Manifest, opened
from platform_core.recovery.postgres import restore, schema_of, tables_in
from platform_core.recovery.sqlite import copy_database, copy_tree, set_aside
from platform_core.settings import Settings

LIVES = 90.0  # seconds within which a daemon that runs was heard of


def put_back(settings: Settings, instance: InstanceSettings, folder: Path, *, replace: bool) -> tuple[Manifest, str]:
    """Restores a backup, and gives with its manifest where what was there went: a mark in the names of files.

    Raises:
        RecoveryError: the backup is not whole or not of this kind of installation; something is there already and is
            not to be replaced; or a daemon runs.
    """
    manifest = opened(folder)
    _require_same_kind(settings, instance, manifest)
    if _lives(settings, instance):
        raise RecoveryError("A daemon was heard of a moment ago: stop it, and the UI, before anything is replaced.")
    if not replace and (there := _what_is_there(settings, instance)):
        raise RecoveryError(f"{there} is there already; --replace puts the backup in its place.")
    mark = f"before-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    _put_dagster(settings, instance, folder, mark)
    _put_catalog(settings.catalog, folder, mark)
    open_catalog.cache_clear()  # whose connections hold on to the file that was there
    return manifest, mark


def _require_same_kind(settings: Settings, instance: InstanceSettings, manifest: Manifest) -> None:
    here = (make_url(settings.catalog).get_backend_name(), "postgresql" if instance.dagster else "sqlite")
    if here != (manifest.catalog, manifest.dagster):
        raise RecoveryError(
            f"The backup is of a catalog in {manifest.catalog} and Dagster in {manifest.dagster}; here they are in"
            f" {here[0]} and {here[1]}: set HEADRACE_CATALOG and HEADRACE_DAGSTER as they were."
        )
    if manifest.revision > HEAD:
        raise RecoveryError(
            f"The backup is of catalog revision {manifest.revision}, this release knows {HEAD}: update."
        )


def _what_is_there(settings: Settings, instance: InstanceSettings) -> str:
    url = make_url(settings.catalog)
    if url.get_backend_name() == "postgresql":
        if tables_in(settings.catalog, schema_of(settings.catalog)):
            return "The catalog"
    elif Path(url.database or "").exists():
        return f"The catalog {url.database}"
    if instance.dagster and tables_in(instance.dagster, SCHEMA):
        return "Dagster's storage"
    homes = settings.home / "dagster"
    return f"Dagster's storage in {homes}" if homes.is_dir() and any(homes.rglob("*.db")) else ""


def _put_dagster(settings: Settings, instance: InstanceSettings, folder: Path, mark: str) -> None:
    if instance.dagster:
        restore(instance.dagster, folder / DAGSTER_DUMP)
    homes = settings.home / "dagster"
    set_aside(homes, mark)
    copy_tree(folder / DAGSTER, homes)


def _put_catalog(url: str, folder: Path, mark: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        restore(url, folder / CATALOG_DUMP)
        return
    path = Path(parsed.database or "")
    set_aside(path, mark)
    copy_database(folder / CATALOG, path)


def _lives(settings: Settings, instance: InstanceSettings) -> bool:
    urls = [f"sqlite:///{path}" for path in (settings.home / "dagster").glob("*/history/runs.db")]
    return any(_beats(url) for url in [*urls, *([instance.url] if instance.dagster else [])])


def _beats(url: str) -> bool:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        if not inspect(connection).has_table("daemon_heartbeats"):
            return False
        # Dagster notes UTC without saying so.
        newest = connection.scalar(text("SELECT max(timestamp) FROM daemon_heartbeats"))
    if newest is None:
        return False
    moment = newest if isinstance(newest, datetime) else datetime.fromisoformat(str(newest))
    return time.time() - moment.replace(tzinfo=UTC).timestamp() < LIVES
