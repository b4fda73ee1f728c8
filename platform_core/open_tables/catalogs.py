"""The Iceberg catalog that the settings name, with the words in which pyiceberg wants to be told of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_core.errors import SettingsError
from platform_core.settings import Settings
from platform_core.store.aws import given_to_sdks

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog as IcebergCatalog

NAME = "headrace"  # more is told by PYICEBERG_CATALOG__HEADRACE__…, such as a token
# What pyiceberg calls what the SDKs call so.
S3 = {
    "ENDPOINT_URL": "s3.endpoint",
    "ACCESS_KEY_ID": "s3.access-key-id",
    "SECRET_ACCESS_KEY": "s3.secret-access-key",
    "SESSION_TOKEN": "s3.session-token",
    "REGION": "s3.region",
}


def folder_of_metadata(settings: Settings) -> str:
    """Where Iceberg's own files go: below production's prefix, so that only who writes there can change a table."""
    return settings.open_tables_folder or f"{uri_of(settings.store)}/production/open-tables"


def uri_of(place: str) -> str:
    """A path or URL as Iceberg writes it. Nothing is escaped: readers take what follows the scheme as it stands."""
    return place if "://" in place else f"file://{place}"


def open_iceberg(settings: Settings) -> "IcebergCatalog":
    """The catalog that other engines ask.

    Raises:
        SettingsError: there is none, or pyiceberg is not installed.
    """
    try:
        from pyiceberg.catalog import load_catalog
    except ImportError as error:
        raise SettingsError(
            "HEADRACE_OPEN_TABLES is set, but pyiceberg is not installed here; run: uv sync --extra iceberg"
        ) from error
    kind = _kind(settings.open_tables)
    if kind.get("uri", "").startswith("sqlite:///"):
        Path(kind["uri"].removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return load_catalog(NAME, **kind, **_files(), warehouse=folder_of_metadata(settings))


def _kind(text: str) -> dict[str, str]:
    scheme = text.partition("://")[0].partition("+")[0]
    if text == "glue":
        return {"type": "glue", "glue.region": given_to_sdks()["REGION"]}  # boto3 does not read AWS_REGION
    if scheme in ("http", "https"):
        return {"type": "rest", "uri": text}
    if scheme in ("sqlite", "postgresql"):
        return {"type": "sql", "uri": text}
    raise SettingsError(
        f"HEADRACE_OPEN_TABLES: '{text}' is no catalog; use sqlite:////path/tables.db, postgresql://user@host/database,"
        " the https:// address of a REST catalog, or glue."
    )


def _files() -> dict[str, Any]:
    told = {S3[name]: value for name, value in given_to_sdks().items() if name in S3}
    return told | {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
