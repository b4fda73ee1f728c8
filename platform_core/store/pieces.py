"""Versions as one table: out of the cache where it has them, otherwise out of their files.

Only whole reads make entries: they hold the table anyway, and it is written while the caller goes on. A lazy read that
takes two columns of thirty would have to decode the other twenty-eight for nothing; it uses an entry that is there.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from platform_core.catalog.values import Version
from platform_core.store.cache import LEAST_BYTES, Cache, Flavour
from platform_core.store.reading import duckdb_connection, read_contents, read_remote, read_table
from platform_core.store.store import Store
from platform_core.store.tables import type_of

# Versions that are asked for at once.
PROOFS = 16


@dataclass(frozen=True, slots=True)
class _Piece:
    """Versions that follow each other: one that the cache may hold, or some that it does not take."""

    versions: tuple[Version, ...]
    cacheable: bool


def read_pieces(store: Store, versions: Sequence[Version], kind: Any, cache: Cache | None) -> Any:
    """The versions as one table of the type asked for, in their order."""
    pieces = _pieces(versions, cache)
    if cache and any(piece.cacheable for piece in pieces):
        if kind in (pl.DataFrame, pl.LazyFrame):
            return _read_polars(store, pieces, kind, cache)
        if (table := _read_arrow(store, pieces, kind, cache)) is not None:
            return _as_kind(table, kind)
    return _read_files(store, versions, kind)


def _read_files(store: Store, versions: Sequence[Version], kind: Any) -> Any:
    """From the files themselves. What may need only some columns reads ranges where they lie."""
    if kind is pl.LazyFrame or kind is type_of("duckdb", "DuckDBPyRelation"):
        with ThreadPoolExecutor(PROOFS) as pool:
            remotes = [remote for remote in pool.map(store.remote, versions) if remote]
        if remotes:
            return read_remote(remotes, kind)
    elif (value := _read_memory(store, versions, kind)) is not None:
        return value
    return read_table(_paths(store, versions), kind)


def _read_memory(store: Store, versions: Sequence[Version], kind: Any) -> Any:
    """Whole tables of some size. A copy on this machine would cost more than the download; the cache gets them decoded.

    Small versions are worth a copy: there are many of them, and a request for each takes longer than its bytes.
    """
    if kind is pa.RecordBatchReader or min(version.bytes for version in versions) < LEAST_BYTES:
        return None
    contents = store.contents(versions)
    return None if contents is None else read_contents(contents, kind)


def _paths(store: Store, versions: Sequence[Version]) -> list[Path]:
    """Several versions at once: where they have to be downloaded, most of the time is waiting."""
    if len(versions) == 1:
        return store.verified_paths(versions[0])
    with ThreadPoolExecutor(min(PROOFS, len(versions))) as pool:
        return [path for paths in pool.map(store.verified_paths, versions) for path in paths]


def _pieces(versions: Sequence[Version], cache: Cache | None) -> list[_Piece]:
    pieces: list[_Piece] = []
    for cacheable, group in groupby(versions, key=lambda version: bool(cache and cache.takes(version))):
        if cacheable:
            pieces += [_Piece((version,), True) for version in group]
        else:
            pieces.append(_Piece(tuple(group), False))
    return pieces


def _read_polars(store: Store, pieces: Sequence[_Piece], kind: Any, cache: Cache) -> Any:
    parts = [_polars(store, piece, kind, cache) for piece in pieces]
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def _polars(store: Store, piece: _Piece, kind: Any, cache: Cache) -> Any:
    if (table := _cached(piece, "polars", cache)) is not None:
        frame = pl.DataFrame(pl.from_arrow(table, rechunk=False))
        return frame.lazy() if kind is pl.LazyFrame else frame
    value = _read_files(store, piece.versions, kind)
    if piece.cacheable and kind is pl.DataFrame:
        cache.keep(piece.versions[0], "polars", value.to_arrow(compat_level=pl.CompatLevel.newest()))
    return value


def _read_arrow(store: Store, pieces: Sequence[_Piece], kind: Any, cache: Cache) -> pa.Table | None:
    """One table, when all pieces are at hand or shall be read whole, and have the same columns."""
    whole = kind is pa.Table or kind is type_of("pandas", "DataFrame")
    found = [_cached(piece, "arrow", cache) for piece in pieces]
    if not whole and any(table is None for table in found):
        return None
    tables = [
        _decoded(store, piece, cache) if table is None else table for piece, table in zip(pieces, found, strict=True)
    ]
    same = all(table.schema.equals(tables[0].schema) for table in tables)
    return pa.concat_tables(tables) if same else None


def _decoded(store: Store, piece: _Piece, cache: Cache) -> pa.Table:
    table = _read_files(store, piece.versions, pa.Table)
    if piece.cacheable:
        cache.keep(piece.versions[0], "arrow", table)
    return table


def _cached(piece: _Piece, flavour: Flavour, cache: Cache) -> pa.Table | None:
    return cache.get(piece.versions[0], flavour) if piece.cacheable else None


def _as_kind(table: pa.Table, kind: Any) -> Any:
    if kind is pa.RecordBatchReader:
        return table.to_reader()
    if kind is type_of("pandas", "DataFrame"):
        return table.to_pandas()
    if kind is type_of("duckdb", "DuckDBPyRelation"):
        return duckdb_connection().from_arrow(table)
    return table
