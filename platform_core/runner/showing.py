"""A value as a person sees it in a terminal: head, columns with their shape, or the text of an object."""

from typing import Any

import polars as pl

BARS = " ▁▂▃▄▅▆▇█"
BINS = 16
LONGEST = 600


def described(value: Any, rows: int) -> dict[str, Any]:
    """Plain data: of a table its size, head and columns, of anything else its type and text."""
    if isinstance(value, pl.DataFrame):
        return {
            "rows": value.height,
            "bytes": value.estimated_size(),
            "head": _head(value, rows),
            "columns": [_column(series) for series in value.iter_columns()],
        }
    text = repr(value)
    return {"type": f"{type(value).__module__}.{type(value).__qualname__}", "text": text[:LONGEST]}


def _head(frame: pl.DataFrame, rows: int) -> str:
    with pl.Config(tbl_rows=rows, tbl_cols=12, tbl_hide_dataframe_shape=True, tbl_width_chars=118):
        return str(frame.head(rows))


def _column(series: pl.Series) -> dict[str, Any]:
    told: dict[str, Any] = {"name": series.name, "type": str(series.dtype), "nulls": series.null_count()}
    if series.dtype.is_numeric() and series.len() > series.null_count():
        told |= {"min": series.min(), "max": series.max(), "mean": series.mean(), "shape": histogram(series)}
        told = {name: float(item) if name in ("min", "max", "mean") else item for name, item in told.items()}
    elif series.dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Date):
        told["distinct"] = series.n_unique()
    return told


def histogram(series: pl.Series) -> str:
    """How the numbers of a column lie between the least and the largest, as bars of text."""
    finite = series.cast(pl.Float64).drop_nulls()
    finite = finite.filter(finite.is_finite())
    least, most = finite.min(), finite.max()
    if least is None or most is None or least == most:
        return ""
    places = ((finite - least) / (float(most) - float(least)) * (BINS - 1e-9)).cast(pl.Int32)  # type: ignore[arg-type]
    counts = dict(places.value_counts().iter_rows())
    return bars([counts.get(place, 0) for place in range(BINS)])


def bars(values: list[float]) -> str:
    top = max(values) or 1
    return "".join(BARS[max(int(value > 0), round(value / top * (len(BARS) - 1)))] for value in values)
