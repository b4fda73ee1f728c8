"""Versions as tables of the Glue catalog: what Athena must be told of files before it can read them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.values import Version
from platform_core.errors import WarehouseError
from platform_core.settings import current_settings
from platform_core.store.aws import arrow_filesystem
from platform_core.store.opening import open_store
from platform_core.warehouse.query import BoundTable

VERSION = "headrace_version"  # Glue knows a folder of files as a partition: one for each version
AT_ONCE = 100  # partitions that Glue takes in one call
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
HIVE: Mapping[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.string_view(): "string",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
}
OF_ATHENA: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "varbinary": pa.binary(),
    "timestamp": pa.timestamp("ms"),
}


@dataclass(frozen=True, slots=True)
class GlueTable:
    """A table of Glue that holds exactly some versions."""

    database: str
    name: str
    columns: tuple[str, ...]


class GlueTables:
    """Tables in one database, made when they are first needed. Their names say what they hold, so that none changes."""

    def __init__(self, client: Any, database: str) -> None:
        self._client, self._database = client, database

    def ensure(self, table: BoundTable) -> GlueTable:
        """The table of the versions that a name in a query is bound to."""
        ids = sorted(version.id for version in table.versions)
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
        name = f"{re.sub('[^a-z0-9]+', '_', table.asset.casefold())}__{digest}"
        if (columns := self._known(name)) is None:
            columns = self._create(name, table)
        return GlueTable(self._database, name, columns)

    def _known(self, name: str) -> tuple[str, ...] | None:
        try:
            found = self._client.get_table(DatabaseName=self._database, Name=name)["Table"]
        except self._client.exceptions.EntityNotFoundException:
            return None
        if found.get("Parameters", {}).get("headrace.complete") != "true":
            return None  # whoever made it was interrupted
        return tuple(column["Name"] for column in found["StorageDescriptor"]["Columns"])

    def _create(self, name: str, table: BoundTable) -> tuple[str, ...]:
        columns = _columns(table)
        self._ignore(self._client.create_database, DatabaseInput={"Name": self._database})
        given = self._table(name, table, columns, complete=False)
        self._ignore(self._client.create_table, DatabaseName=self._database, TableInput=given)
        for some in _portions([_partition(version, columns) for version in table.versions]):
            self._client.batch_create_partition(
                DatabaseName=self._database, TableName=name, PartitionInputList=list(some)
            )
        given = self._table(name, table, columns, complete=True)
        self._client.update_table(DatabaseName=self._database, TableInput=given)
        return tuple(columns)

    def _ignore(self, call: Any, **given: Any) -> None:
        """What is there already is as it should be: somebody else made it at the same time."""
        try:
            call(**given)
        except self._client.exceptions.AlreadyExistsException:
            return

    def _table(self, name: str, table: BoundTable, columns: Mapping[str, str], *, complete: bool) -> dict[str, Any]:
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": VERSION, "Type": "string"}],
            "StorageDescriptor": _storage(_folder(table.versions[0]), columns),
            "Parameters": {
                "classification": "parquet",
                "headrace.asset": table.asset,
                "headrace.namespace": current_settings().namespace,
                "headrace.complete": str(complete).lower(),
            },
        }


def _partition(version: Version, columns: Mapping[str, str]) -> dict[str, Any]:
    return {"Values": [version.id], "StorageDescriptor": _storage(_folder(version), columns)}


def _storage(folder: str, columns: Mapping[str, str]) -> dict[str, Any]:
    told = [{"Name": name, "Type": kind} for name, kind in columns.items()]
    return {**PARQUET, "Columns": told, "Location": f"{folder}/"}


def _folder(version: Version) -> str:
    return open_store(current_settings().store).uri(version.files[0].key.rpartition("/")[0])


def _portions(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    yield from (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _columns(table: BoundTable) -> dict[str, str]:
    """The columns of all versions with Hive's types, read from the end of one file for each set of columns."""
    found: dict[str, str] = {}
    for version in {version.schema: version for version in table.versions}.values():
        uri = open_store(current_settings().store).uri(version.files[0].key)
        schema = pq.read_schema(uri.removeprefix("s3://"), filesystem=arrow_filesystem())
        for field in schema:
            found.setdefault(field.name, hive_type(field.name, field.type))
    return found


def hive_type(column: str, kind: Any) -> str:
    """What Hive calls a type of Arrow.

    Raises:
        WarehouseError: it has none.
    """
    if (known := HIVE.get(kind)) is not None:
        return known
    types = pa.types
    if types.is_dictionary(kind):
        return hive_type(column, kind.value_type)
    if types.is_timestamp(kind) or types.is_decimal(kind):
        return "timestamp" if types.is_timestamp(kind) else f"decimal({kind.precision},{kind.scale})"
    if nested := _nested(column, kind):
        return nested
    raise WarehouseError(f"Athena cannot read column {column} of type {kind}; cast it before it is stored.")


def _nested(column: str, kind: Any) -> str:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{hive_type(column, kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{hive_type(column, field.type)}' for field in kind)}>"
    if pa.types.is_map(kind):
        return f"map<{hive_type(column, kind.key_type)},{hive_type(column, kind.item_type)}>"
    return ""


def arrow_type(column: Mapping[str, Any]) -> Any:
    """The type of a column of a result, as Athena describes it; text for what has no closer one."""
    if column["Type"] == "decimal":
        return pa.decimal128(column["Precision"], column["Scale"])
    return OF_ATHENA.get(column["Type"], pa.string())
