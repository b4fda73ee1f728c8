"""Values to versions and back: where the catalog's records and the store's files meet the codecs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from platform_core.catalog.values import Format, Provenance, StoredFile, Version, is_version_id, new_version_id
from platform_core.errors import StoreError, UnsupportedValueError
from platform_core.namespaces import Namespace
from platform_core.store.cache import current_cache
from platform_core.store.faults import writing
from platform_core.store.figures import FOLDER, write_figures
from platform_core.store.names import require_storable, version_key
from platform_core.store.objects import NAME, read_object, write_object
from platform_core.store.parquet import describe_table, write_table
from platform_core.store.pieces import read_pieces
from platform_core.store.split import Spill, is_stream, split_stream, split_table
from platform_core.store.store import Store, content_version
from platform_core.store.tables import is_table, is_table_type, unloaded

# Told the keys of the parts that are known so far, and whether there are no more. Raises when they are not right.
Accept = Callable[[Sequence[str], bool], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What a value is going to be a version of."""

    namespace: Namespace
    asset: str
    partition: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = Provenance()
    figures: Mapping[str, bytes] = field(default_factory=dict)  # PNG or SVG, by name


class Versions(tuple[Version, ...]):
    """As an annotation: the versions themselves, unread. Whoever gets them reads them elsewhere."""

    __slots__ = ()


class _Draft:
    """A version that is being written."""

    def __init__(self, store: Store, target: Target) -> None:
        require_storable(target.asset, target.partition)
        self._store, self._target, self._id = store, target, new_version_id()
        self._key = version_key(str(target.namespace), target.asset, target.partition, self._id)
        self.folder: Path = store.new_folder(self._key)

    def discard(self) -> None:
        """Also when the store cannot be reached: what is left is nobody's and goes with the next clean-up."""
        with suppress(StoreError):
            self._store.discard(self._key)

    def finish(self, format: Format) -> Version:
        """Seals the files. Rows and columns are read from the local files first, which a seal may move away."""
        rows, schema = describe_table(sorted(self.folder.iterdir())) if format == "parquet" else (None, ())
        write_figures(self.folder, self._target.figures)
        files, figures = _apart(self._store.seal(self._key), self._key)
        return Version(
            id=self._id,
            namespace=str(self._target.namespace),
            asset=self._target.asset,
            partition=self._target.partition,
            format=format,
            files=files,
            data_version=content_version(files),
            rows=rows,
            schema=schema,
            metadata=self._target.metadata,
            provenance=self._target.provenance,
            figures=figures,
        )


def _apart(sealed: tuple[StoredFile, ...], folder: str) -> tuple[tuple[StoredFile, ...], tuple[StoredFile, ...]]:
    """The files of a value, and those of its figures, which are no part of what it is."""
    drawn = [file.key.startswith(f"{folder}/{FOLDER}/") for file in sealed]
    both = list(zip(sealed, drawn, strict=True))
    return tuple(file for file, is_drawn in both if not is_drawn), tuple(file for file, is_drawn in both if is_drawn)


def write_version(store: Store, value: Any, target: Target) -> Version:
    """Writes a value as the files of a new version. The version is not visible until the catalog commits it.

    A write that fails leaves nothing behind.
    """
    with writing(store, target.asset):
        draft = _Draft(store, target)
        try:
            return draft.finish(_encode(value, draft.folder))
        except BaseException:
            draft.discard()
            raise


def _encode(value: Any, folder: Path) -> Format:
    if not is_table(value):
        return write_object(value, folder)
    if type(value) is unloaded():
        value.give(folder)
    else:
        write_table(value, folder)
    return "parquet"


def adopt_version(store: Store, version: Version, namespace: Namespace) -> Version:
    """The value of a version as the draft of one in another namespace, whose files are its own. Nothing is read."""
    with writing(store, version.asset):
        id = new_version_id()
        key = version_key(str(namespace), version.asset, version.partition, id)
        try:
            files, figures = _apart(store.adopt(replace(version, files=version.all_files), key), key)
        except BaseException:
            with suppress(StoreError):
                store.discard(key)
            raise
    now = datetime.now(UTC)
    return replace(version, id=id, namespace=str(namespace), files=files, figures=figures, created_at=now)


def write_parts(
    store: Store, value: Any, column: str, target_of: Callable[[str], Target], accept: Accept
) -> dict[str, Version]:
    """Writes a table as one version per key of a column, by key in the order in which the keys appear.

    A stream is not held. When `accept` refuses the keys, or a write fails, nothing is left behind.
    """
    drafts: dict[str, _Draft] = {}
    with writing(store, target_of("").asset):
        try:
            write = _write_stream if is_stream(value) else _write_frames
            write(value, column, accept, lambda key: _new_draft(store, target_of(key), drafts, key))
            return {key: draft.finish("parquet") for key, draft in drafts.items()}
        except BaseException:
            for draft in drafts.values():
                draft.discard()
            raise


def _new_draft(store: Store, target: Target, drafts: dict[str, _Draft], key: str) -> Path:
    drafts[key] = _Draft(store, target)
    return drafts[key].folder


def _write_frames(value: Any, column: str, accept: Accept, folder_of: Callable[[str], Path]) -> None:
    parts = split_table(value, column)
    accept(list(parts), True)
    for key, part in parts.items():
        write_table(part, folder_of(key))


def _write_stream(value: Any, column: str, accept: Accept, folder_of: Callable[[str], Path]) -> None:
    folders: dict[str, Path] = {}
    spill: Spill | None = None
    with ExitStack() as stack:
        for parts in split_stream(value, column):
            if new := [key for key in parts if key not in folders]:
                accept([*folders, *new], False)
                folders |= {key: folder_of(key) for key in new}
            spill = spill or stack.enter_context(Spill(next(iter(folders.values()))))
            spill.add(parts)
        accept(list(folders), True)
        for key, part in spill.tables() if spill else ():
            write_table(part, folders[key])


def read_versions(store: Store, versions: Sequence[Version], kind: Any = None) -> Any:
    """The value of versions of one asset: its partitions as one table, or its one object.

    `kind` is the annotated type. Without one, tables come as `polars.DataFrame`.
    """
    if kind is Versions:
        return Versions(versions)
    if versions[0].format != "parquet":
        return _read_one_object(store, versions)
    if kind is None or kind is Any:
        kind = pl.DataFrame
    if not is_table_type(kind):
        raise UnsupportedValueError(
            f"{versions[0].asset} is a table, but is asked for as {getattr(kind, '__name__', kind)};"
            " annotate the parameter with a table type."
        )
    return read_pieces(store, versions, kind, current_cache())


def _read_one_object(store: Store, versions: Sequence[Version]) -> Any:
    if len(versions) > 1:
        raise UnsupportedValueError(
            f"{versions[0].asset} is one object per partition, and {len(versions)} partitions are asked for at once;"
            " run one partition at a time, or map to a single upstream partition."
        )
    (version,) = versions
    if version.format == "folder":
        return read_object(_folder_of(store.copied_paths(version)[0]), version.format)
    return read_object(store.verified_paths(version)[0], version.format)


def _folder_of(path: Path) -> Path:
    """The folder that was given: the outermost of its name below the folder of the version."""
    return next(folder for folder in path.parents if folder.name == NAME and is_version_id(folder.parent.name))
