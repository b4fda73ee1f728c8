"""Values to versions and back: where the catalog's records and the store's files meet the codecs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from platform_core.catalog.values import Column, Format, Provenance, Version, new_version_id
from platform_core.errors import UnsupportedValueError
from platform_core.namespaces import Namespace
from platform_core.store.names import version_key
from platform_core.store.objects import NAME, read_object, write_object
from platform_core.store.store import Store, content_version
from platform_core.store.tables import describe_table, is_table, is_table_type, read_table, write_table


@dataclass(frozen=True, slots=True)
class Target:
    """What a value is going to be a version of."""

    namespace: Namespace
    asset: str
    partition: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = Provenance()


def write_version(store: Store, value: Any, target: Target) -> Version:
    """Writes a value as the files of a new version. The version is not visible until the catalog commits it.

    A write that fails leaves nothing behind.
    """
    version = new_version_id()
    key = version_key(str(target.namespace), target.asset, target.partition, version)
    folder = store.new_folder(key)
    try:
        format, rows, schema = _encode(value, folder)
        files = store.seal(key)
    except BaseException:
        store.discard(key)
        raise
    return Version(
        id=version,
        namespace=str(target.namespace),
        asset=target.asset,
        partition=target.partition,
        format=format,
        files=files,
        data_version=content_version(files),
        rows=rows,
        schema=schema,
        metadata=target.metadata,
        provenance=target.provenance,
    )


def _encode(value: Any, folder: Path) -> tuple[Format, int | None, tuple[Column, ...]]:
    if not is_table(value):
        return write_object(value, folder), None, ()
    path = folder / "part-0.parquet"
    write_table(value, path)
    return "parquet", *describe_table(path)


def read_versions(store: Store, versions: Sequence[Version], kind: Any = None) -> Any:
    """The value of versions of one asset: its partitions as one table, or its one object.

    `kind` is the annotated type. Without one, tables come as `polars.DataFrame`.
    """
    if versions[0].format != "parquet":
        return _read_one_object(store, versions)
    paths = [path for version in versions for path in store.verified_paths(version)]
    if kind is None or kind is Any:
        kind = pl.DataFrame
    if not is_table_type(kind):
        raise UnsupportedValueError(
            f"{versions[0].asset} is a table, but is asked for as {getattr(kind, '__name__', kind)};"
            " annotate the parameter with a table type."
        )
    return read_table(paths, kind)


def _read_one_object(store: Store, versions: Sequence[Version]) -> Any:
    if len(versions) > 1:
        raise UnsupportedValueError(
            f"{versions[0].asset} is one object per partition, and {len(versions)} partitions are asked for at once;"
            " run one partition at a time, or map to a single upstream partition."
        )
    (version,) = versions
    main = [path for path in store.verified_paths(version) if path.stem == NAME]
    return read_object(main[0], version.format)
