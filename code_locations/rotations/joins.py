"""What is known of each aircraft at the beginning of a month. Pure functions on polars frames."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

HISTORY = "6mo"
LEG = ("month", "day", "tailnum", "carrier", "dest")


def legs(flights: pl.LazyFrame) -> pl.LazyFrame:
    """How often each aircraft left for each destination on each day. Without a tail number nobody knows who flew."""
    flown = flights.filter(pl.col("dep_time").is_not_null(), pl.col("tailnum").is_not_null())
    day = pl.date(pl.col("year"), pl.col("month").str.slice(5).cast(pl.Int32), pl.col("day"))
    counted = flown.with_columns(day=day).group_by(LEG).agg(departures=pl.len().cast(pl.Int64))
    return counted.sort("day", "tailnum", "dest", "carrier")


def fleet(legs: pl.DataFrame, months: Sequence[str]) -> pl.DataFrame:
    """The aircraft that flew in the half year before each of some months ('2013-07')."""
    as_of = pl.col("month").str.to_datetime("%Y-%m", time_unit="us")
    spans = pl.DataFrame({"month": list(months)}).with_columns(as_of=as_of)
    spans = spans.with_columns(since=pl.col("as_of").dt.offset_by(f"-{HISTORY}"))
    seen = legs.select("tailnum", "day").unique()
    inside = seen.join_where(spans, pl.col("day") >= pl.col("since"), pl.col("day") < pl.col("as_of"))
    return inside.select("month", "as_of", "since", "tailnum").unique().sort("month", "tailnum")


def habits(fleet: pl.DataFrame, legs: pl.DataFrame) -> pl.DataFrame:
    """Where each aircraft of the fleet went in the half year before, and where it went in the month itself."""
    flown = fleet.join(legs.drop("month"), on="tailnum")
    before = flown.filter(pl.col("day") >= pl.col("since"), pl.col("day") < pl.col("as_of"))
    going = flown.filter(pl.col("day") >= pl.col("as_of"), pl.col("day") < pl.col("as_of").dt.offset_by("1mo"))
    pairs = before.group_by("month", "tailnum", "dest").agg(pl.col("departures").sum()).sort("dest")
    known = pairs.group_by("month", "tailnum").agg("dest", "departures").rename({"dest": "dests"})
    carrier = before.sort("day", "carrier").group_by("month", "tailnum").agg(pl.col("carrier").last())
    fresh = going.join(pairs, on=["month", "tailnum", "dest"], how="anti")
    new = fresh.group_by("month", "tailnum").agg(new=pl.col("dest").unique().sort())
    rows = fleet.join(known, on=["month", "tailnum"]).join(carrier, on=["month", "tailnum"])
    rows = rows.join(new, on=["month", "tailnum"], how="left").with_columns(pl.col("new").fill_null([]))
    return rows.select("month", "as_of", "tailnum", "carrier", "dests", "departures", "new").sort("month", "tailnum")
