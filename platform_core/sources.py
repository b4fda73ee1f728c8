"""Reads files that other systems deliver. A file that is not what was agreed gives one sentence that names it."""

import zlib
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from polars.datatypes import DataTypeClass

from platform_core.errors import SourceError, did_you_mean, listed

Types = Mapping[str, pl.DataType | DataTypeClass]


def read_csv(path: Path, types: Types, null_values: tuple[str, ...] = ("NA", "")) -> pl.DataFrame:
    """A CSV file (also gzip-compressed) with exactly the columns of `types`, in their order and of those types.

    Raises:
        SourceError: the file is missing, cut off, has other columns, or has a cell that is not of its type.
    """
    text = _read_text(path, null_values)
    if missing := [name for name in types if name not in text.columns]:
        hint = did_you_mean(missing[0], text.columns)
        raise SourceError(f"{path} lacks the column {listed(missing)}.{hint} It has: {listed(text.columns, 30)}.")
    if strangers := [name for name in text.columns if name not in types]:
        raise SourceError(
            f"{path} has a column that was not agreed: {listed(strangers)}. Add it to the types, or ask why."
        )
    if text.is_empty():
        raise SourceError(f"{path} has a header but no rows. Ask the sender for the whole file.")
    return _typed(text.select(list(types)), types, path)


def _read_text(path: Path, null_values: tuple[str, ...]) -> pl.DataFrame:
    if not path.is_file():
        raise SourceError(f"{path} was not delivered. Put the file there, or run only partitions that were delivered.")
    try:
        return pl.read_csv(path, infer_schema=False, null_values=list(null_values))
    except (pl.exceptions.PolarsError, OSError, zlib.error) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(
            f"{path} cannot be read and is probably cut off ({reason}). Have it delivered again."
        ) from error


def _typed(text: pl.DataFrame, types: Types, path: Path) -> pl.DataFrame:
    frame = text.select(_cast(name, kind) for name, kind in types.items())
    broken = text.select(
        (pl.col(name).is_not_null() & frame[name].is_null()).arg_true().first().alias(name) for name in types
    ).row(0, named=True)
    for name, row in broken.items():
        if row is not None:
            raise SourceError(
                f"{path}: column {name} should hold {types[name]} but line {row + 2} has '{text[name][row]}'."
                " Have the file delivered again, or change the declared type if the new one is right."
            )
    return frame


def _cast(name: str, kind: pl.DataType | DataTypeClass) -> pl.Expr:
    column = pl.col(name)
    if kind == pl.Datetime:
        # The zone of the text is read whatever its form (Z, +00:00 or none at all, which is taken as UTC).
        full = kind if isinstance(kind, pl.Datetime) else pl.Datetime()
        moment = column.str.to_datetime(time_unit=full.time_unit, time_zone="UTC", strict=False)
        zone = full.time_zone
        return moment.dt.convert_time_zone(zone) if zone else moment.dt.replace_time_zone(None)
    if kind in (pl.Date, pl.Time):
        return column.str.to_date(strict=False) if kind == pl.Date else column.str.to_time(strict=False)
    if kind == pl.Boolean:
        return column.str.to_lowercase().replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        )
    return column.cast(kind, strict=False)
