"""Catalog values to rows and back."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json
from sqlalchemy import RowMapping

from platform_core.catalog.values import (
    Column,
    NamespaceRecord,
    Provenance,
    StoredFile,
    Total,
    Transaction,
    Version,
)

_FILES = TypeAdapter(tuple[StoredFile, ...])
_SCHEMA = TypeAdapter(tuple[Column, ...])
_PROVENANCE = TypeAdapter(Provenance)
_FIELDS = [field.name for field in fields(Version)]


def version_to_row(version: Version) -> dict[str, Any]:
    shallow = {name: getattr(version, name) for name in _FIELDS}
    return shallow | {
        "files": _FILES.dump_python(version.files),
        "figures": _FILES.dump_python(version.figures),
        "schema": _SCHEMA.dump_python(version.schema),
        "metadata": dict(version.metadata),
        "provenance": _PROVENANCE.dump_python(version.provenance),
    }


def rows_to_versions(rows: Iterable[RowMapping]) -> list[Version]:
    """The versions of rows whose JSON is still text.

    The partitions of an asset mostly have one schema, and often one provenance: the same text is read only once.
    """
    schema, provenance = cache(_SCHEMA.validate_json), cache(_PROVENANCE.validate_json)
    return [_version(row, schema, provenance) for row in rows]


def _version(
    row: RowMapping, schema: Callable[[str], tuple[Column, ...]], provenance: Callable[[str], Provenance]
) -> Version:
    return Version(
        id=row["id"],
        namespace=row["namespace"],
        asset=row["asset"],
        partition=row["partition"],
        format=row["format"],
        files=_FILES.validate_json(row["files"]),
        data_version=row["data_version"],
        rows=row["rows"],
        schema=schema(row["schema"]),
        metadata=from_json(row["metadata"]),
        provenance=provenance(row["provenance"]),
        created_at=in_utc(row["created_at"]),
        transaction=row["transaction"],
        figures=_FILES.validate_json(row["figures"]) if row["figures"] else (),
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


def row_to_total(row: RowMapping) -> Total:
    return Total(
        asset=row["asset"],
        shown_by=row["shown_by"],
        partitions=row["partitions"],
        rows=None if row["rows"] is None else int(row["rows"]),  # PostgreSQL's sums are decimals
        bytes=int(row["bytes"]),
        last_written=in_utc(row["last_written"]),
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
