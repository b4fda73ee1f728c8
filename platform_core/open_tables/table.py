"""One asset of production as an Iceberg table: one snapshot for what changed, no byte of data copied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from platform_core.catalog.values import Version, is_version_id
from platform_core.errors import OpenTableError
from platform_core.history.gc import KEEP
from platform_core.open_tables.catalogs import uri_of
from platform_core.open_tables.shape import agreed_columns, all_optional, columns_of, examples, partition_column
from platform_core.store.store import Store

if TYPE_CHECKING:
    from pyiceberg.table import Table, Transaction

ASSET, TRANSACTION, VERSIONS = "headrace.asset", "headrace.transaction", "headrace.versions"
MOST_IDS = 200  # named in a snapshot; the paths of its files have all of them
# Whoever expires snapshots or drops the table must not delete files: they are versions, and `headrace gc` knows when.
PROPERTIES = {
    "format-version": "2",
    "gc.enabled": "false",
    "external.table.purge": "false",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of a table: how many files came and went, and the production transaction that it shows."""

    asset: str
    added: int
    removed: int
    transaction: int


class OpenTable:
    """The Iceberg table of an asset."""

    def __init__(self, catalog: Any, asset: str, folder: str, store: Store) -> None:
        self._catalog, self._asset, self._folder, self._store = catalog, asset, folder, store
        *above, name = asset.split("/")
        self._identifier = ("_".join(above) or "production", name)

    def publish(self, versions: Sequence[Version], transaction: int) -> Publication | None:
        """Makes the table show these versions and no others, in one snapshot; nothing when it shows them already."""
        if (table := self._load()) is None:
            if not versions:
                return None
            table = self._create(versions)
        wanted = {self._uri(file.key): version for version in versions for file in version.files}
        shown = {task.file.file_path: task.file for task in table.scan().plan_files()}
        added = {uri: version for uri, version in wanted.items() if uri not in shown}
        removed = [file for uri, file in shown.items() if uri not in wanted]
        if not added and not removed:
            return None
        self._commit(table, versions, added, removed, transaction)
        self._expire()
        return Publication(self._asset, len(added), len(removed), transaction)

    def _uri(self, key: str) -> str:
        return uri_of(self._store.uri(key))

    def _load(self) -> "Table | None":
        from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

        try:
            table: Table = self._catalog.load_table(self._identifier)
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
        if (other := table.properties.get(ASSET)) != self._asset:
            name = ".".join(self._identifier)
            raise OpenTableError(f"{name} is there already, of {other or 'somebody else'}; rename one of the two.")
        return table

    def _create(self, versions: Sequence[Version]) -> "Table":
        from pyiceberg.transforms import IdentityTransform

        self._catalog.create_namespace_if_not_exists(self._identifier[:1])
        footers = {version.partition: [self._footer(file.key) for file in version.files] for version in versions}
        schemas = [self._schema(version) for version in examples(versions)]
        place = "/".join((self._folder, *self._identifier))
        table: Table = self._catalog.create_table(
            self._identifier, schema=schemas[0], location=place, properties={**PROPERTIES, ASSET: self._asset}
        )
        if column := partition_column(footers):
            with table.update_spec() as change:
                change.add_field(column, IdentityTransform(), column)
        return table

    def _footer(self, key: str) -> Any:
        with self._io().new_input(self._uri(key)).open() as source:
            return pq.read_metadata(source)

    def _io(self) -> Any:
        from pyiceberg.io import load_file_io

        return load_file_io(self._catalog.properties, self._folder)

    def _schema(self, version: Version) -> pa.Schema:
        return all_optional(self._footer(version.files[0].key).schema.to_arrow_schema())

    def _commit(
        self,
        table: "Table",
        versions: Sequence[Version],
        added: Mapping[str, Version],
        removed: Sequence[Any],
        transaction: int,
    ) -> None:
        from pyiceberg.io.pyarrow import parquet_file_to_data_file

        with table.transaction() as change:
            if versions:  # of nothing that is shown the columns stay: they may come again
                self._evolve(change, versions, list(added.values()))
            told = {TRANSACTION: str(transaction), VERSIONS: _ids(added.values())}
            with change.update_snapshot(snapshot_properties=told).overwrite() as snapshot:
                for file in removed:
                    snapshot.delete_data_file(file)
                for uri in added:
                    snapshot.append_data_file(parquet_file_to_data_file(table.io, change.table_metadata, uri))

    def _evolve(self, change: "Transaction", versions: Sequence[Version], added: Sequence[Version]) -> None:
        """Columns that no version has any more go, new ones come, and one that has become another begins anew."""
        known = {field.name for field in change.table_metadata.schema().fields}
        with change.update_schema(allow_incompatible_changes=True) as update:
            for name in sorted(known - columns_of(versions)):
                update.delete_column(name)
        agreed = agreed_columns(versions)
        for schema in (self._schema(version) for version in examples(added)):
            for field in schema:
                self._fit(change, field, field.name in agreed)
        if change.table_metadata.name_mapping() is None:  # the files were not made for Iceberg, and number no columns
            mapping = change.table_metadata.schema().name_mapping.model_dump_json()
            change.set_properties({"schema.name-mapping.default": mapping})

    def _fit(self, change: "Transaction", field: pa.Field, agreed: bool) -> None:
        """Makes room for a column of a file: in the column of its name, or in a new one when all files have changed."""
        from pyiceberg.exceptions import ResolveError, ValidationError

        update = change.update_schema()
        try:
            update.union_by_name(pa.schema([field]))
            update.commit()
            return
        except (ResolveError, ValidationError) as error:
            if not agreed:
                raise OpenTableError(
                    f"its column {field.name} is {field.type} in some partitions and something else in others;"
                    " compute the others again"
                ) from error
        with change.update_schema(allow_incompatible_changes=True) as update:
            update.delete_column(field.name)
        with change.update_schema() as update:
            update.union_by_name(pa.schema([field]))

    def _expire(self) -> None:
        """Forgets snapshots that are as old as what `gc` gives up."""
        table = self._catalog.load_table(self._identifier)
        before = datetime.now(UTC) - KEEP
        if any(snapshot.timestamp_ms < before.timestamp() * 1000 for snapshot in table.snapshots()):
            table.maintenance.expire_snapshots().older_than(before).commit()

    def held(self) -> set[str]:
        """The ids of versions that a snapshot of the table shows."""
        if (table := self._load()) is None or not table.snapshots():
            return set()
        return {id for path in table.inspect.all_data_files()["file_path"].to_pylist() if (id := _version_in(path))}


def _ids(versions: Any) -> str:
    ids = sorted({version.id for version in versions})
    more = f",and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    return ",".join(ids[:MOST_IDS]) + more


def _version_in(path: str) -> str | None:
    return next((part for part in path.split("/") if is_version_id(part)), None)
