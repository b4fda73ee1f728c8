"""Pictures and tables for the metadata of checks, as Markdown that Dagster's UI shows without a click."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

import polars as pl

BLUE, ORANGE, GREY = "#2166ac", "#d6604d", "#8c8c8c"
WIDTH, HEIGHT = 200, 100
MOST_BARS = 12


def markdown_table(frame: pl.DataFrame) -> str:
    """A frame as a Markdown table, in full."""
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN", tbl_cols=-1, tbl_rows=-1, tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True, tbl_width_chars=4000, fmt_str_lengths=60,
    ):  # fmt: skip
        return str(frame)


def two_distributions(before: Sequence[float], after: Sequence[float], title: str) -> str:
    """Bars of two distributions over the same bins, the reference in blue and the present in orange."""
    pairs = list(zip(before, after, strict=True))[:MOST_BARS]
    top = max((max(pair) for pair in pairs), default=0) or 1
    step = WIDTH / max(len(pairs), 1)
    bars = [
        f"<path fill='{colour}' d='M{step * number + shift:.0f},{HEIGHT}v{-HEIGHT * share / top:.0f}"
        f"h{0.42 * step:.0f}V{HEIGHT}z'/>"
        for number, pair in enumerate(pairs)
        for share, colour, shift in zip(pair, (BLUE, ORANGE), (0.05 * step, 0.47 * step), strict=True)
    ]
    return _image(f"<path stroke='#bbb' d='M0,{HEIGHT}H{WIDTH}'/>{''.join(bars)}", title)


def two_curves(production: Iterable[tuple[float, float]], challenger: Iterable[tuple[float, float]], title: str) -> str:
    """Two curves in the unit square, production in blue and the challenger in orange."""
    side = WIDTH
    lines = [
        f"<path stroke='{colour}' stroke-width='2' d='M{' '.join(_point(x, y, side) for x, y in curve)}'/>"
        for curve, colour in ((production, BLUE), (challenger, ORANGE))
    ]
    frame = f"<path stroke='#bbb' d='M0,0V{side}H{side}M0,{side}L{side},0'/>"
    return _image(f"<g fill='none'>{frame}{''.join(lines)}</g>", title, side)


def history_with_limits(counts: Sequence[int], now: int, least: float, most: float, title: str) -> str:
    """Earlier counts as points, the limits as a band, and the present count as a larger point at the end."""
    top = 1.1 * max(*counts, now, most, 1)
    step = WIDTH / (len(counts) + 1)
    points = [f"<circle fill='{BLUE}' r='2' cx='{_at(n, step)}' cy='{_up(c, top)}'/>" for n, c in enumerate(counts)]
    colour = BLUE if least <= now <= most else ORANGE
    last = f"<circle fill='{colour}' r='5' cx='{_at(len(counts), step)}' cy='{_up(now, top)}'/>"
    band = f"<path fill='#ddd' d='M0,{_up(least, top)}H{WIDTH}V{_up(most, top)}H0z'/>"
    return _image(f"{band}{''.join(points)}{last}", title)


def _at(number: int, step: float) -> str:
    return f"{(number + 0.5) * step:.0f}"


def _up(value: float, top: float) -> str:
    return f"{HEIGHT * (1 - value / top):.0f}"


def _point(x: float, y: float, side: int) -> str:
    return f"{side * x:.0f},{side * (1 - y):.0f}"


def _image(drawing: str, title: str, height: int = HEIGHT) -> str:
    text = f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}'>{drawing}</svg>"
    return f"![{title}](data:image/svg+xml;base64,{b64encode(text.encode()).decode()})"
