"""Backs up the catalog and Dagster's storage while both are in use."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from platform_core.errors import RecoveryError
from platform_core.instance_settings import SCHEMA, InstanceSettings
from platform_core.recovery.manifest import Manifest, seal
from platform_core.recovery.postgres import dump, schema_of
from platform_core.recovery.sqlite import copy_database, copy_tree
from platform_core.settings import Settings

CATALOG, CATALOG_DUMP = "catalog.db", "catalog.dump"
DAGSTER, DAGSTER_DUMP = "dagster", "dagster.dump"


def back_up(settings: Settings, instance: InstanceSettings, folder: Path) -> Manifest:
    """Copies the catalog and Dagster's storage of all namespaces to a new folder.

    Dagster's storage comes first: what its events say of versions is in the catalog that is copied afterwards.

    Raises:
        RecoveryError: the folder is taken, there is nothing to copy, or a copy fails.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RecoveryError(f"{folder} is not empty; a backup gets a folder of its own.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # logs of runs may tell what is nobody else's
    if instance.dagster:
        dump(instance.dagster, SCHEMA, folder / DAGSTER_DUMP)
    copy_tree(settings.home / "dagster", folder / DAGSTER)
    kind = _copy_catalog(settings.catalog, folder)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    where = "postgresql" if instance.dagster else "sqlite"
    return seal(folder, Manifest(made_at, kind, where, revision_of(settings.catalog), settings.store, {}))


def _copy_catalog(url: str, folder: Path) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        dump(url, schema_of(url), folder / CATALOG_DUMP)
        return "postgresql"
    path = Path(parsed.database or "")
    if not path.is_file():
        raise RecoveryError(f"There is no catalog at {path}; nothing was ever written.")
    copy_database(path, folder / CATALOG)
    return "sqlite"


def revision_of(url: str) -> str:
    """The revision of a catalog's tables."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return str(connection.scalar(text("SELECT version_num FROM catalog_revision")))
