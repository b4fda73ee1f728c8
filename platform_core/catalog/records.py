"""Catalog values to rows and back."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping

from platform_core.catalog.values import (
    Column,
    InputVersion,
    NamespaceRecord,
    Provenance,
    StoredFile,
    Transaction,
    Version,
)


def version_to_row(version: Version) -> dict[str, Any]:
    return asdict(version) | {"metadata": dict(version.metadata)}


def row_to_version(row: RowMapping) -> Version:
    provenance = dict(row["provenance"])
    inputs = tuple(InputVersion(**item) for item in provenance.pop("inputs"))
    return Version(
        id=row["id"],
        namespace=row["namespace"],
        asset=row["asset"],
        partition=row["partition"],
        format=row["format"],
        files=tuple(StoredFile(**file) for file in row["files"]),
        data_version=row["data_version"],
        rows=row["rows"],
        schema=tuple(Column(**column) for column in row["schema"]),
        metadata=row["metadata"],
        provenance=Provenance(**provenance, inputs=inputs),
        created_at=in_utc(row["created_at"]),
        transaction=row["transaction"],
        replaces=row["replaces"],
        forgotten_at=row["forgotten_at"] and in_utc(row["forgotten_at"]),
    )


def row_to_transaction(row: RowMapping) -> Transaction:
    return Transaction(
        number=row["number"],
        namespace=row["namespace"],
        kind=row["kind"],
        author=row["author"],
        message=row["message"],
        committed_at=in_utc(row["committed_at"]),
    )


def row_to_namespace(row: RowMapping) -> NamespaceRecord:
    return NamespaceRecord(
        name=row["name"],
        parent=row["parent"],
        pin=row["pin"],
        owner=row["owner"],
        created_at=in_utc(row["created_at"]),
        closed_at=row["closed_at"] and in_utc(row["closed_at"]),
        last_write=row["committed_at"] and in_utc(row["committed_at"]),
        since=row["since"],
    )


def in_utc(moment: datetime) -> datetime:
    """SQLite forgets the zone of what it keeps; everything in the catalog is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
