"""What is known of an aircraft when a month begins, and nothing of later."""

from datetime import date, datetime

import polars as pl

from code_locations.rotations import joins

COLUMNS = ["month", "day", "dep_time", "tailnum", "carrier", "dest"]
FLIGHTS = [
    ("2012-12", 31, 900, "N1", "AA", "ORD"),  # before the half year: no habit of July
    ("2013-01", 1, 900, "N1", "AA", "MIA"),
    ("2013-06", 30, 900, "N1", "AA", "BOS"),
    ("2013-06", 30, 1900, "N1", "AA", "BOS"),
    ("2013-06", 30, None, "N1", "AA", "SEA"),  # cancelled
    ("2013-06", 30, 900, None, "AA", "SEA"),
    ("2013-07", 1, 900, "N1", "UA", "BOS"),
    ("2013-07", 9, 900, "N1", "UA", "DEN"),
    ("2013-08", 1, 900, "N1", "UA", "SFO"),
    ("2013-07", 9, 900, "N2", "UA", "DEN"),  # not seen before July
]


def legs() -> pl.DataFrame:
    rows = pl.DataFrame(FLIGHTS, COLUMNS, orient="row")
    return joins.legs(rows.with_columns(year=pl.col("month").str.head(4).cast(pl.Int64)).lazy()).collect()


def test_only_what_left_counts_day_by_day() -> None:
    told = legs().filter(pl.col("month") == "2013-06")
    assert told.rows() == [("2013-06", date(2013, 6, 30), "N1", "AA", "BOS", 2)]


def test_the_fleet_of_a_month_is_what_was_seen_before_it() -> None:
    told = joins.fleet(legs(), ["2013-07", "2013-08"])
    assert told.select("month", "tailnum").rows() == [("2013-07", "N1"), ("2013-08", "N1"), ("2013-08", "N2")]
    assert told["since"][0] == datetime(2013, 1, 1)


def test_habits_end_where_the_month_begins_and_what_is_new_is_of_the_month() -> None:
    flown = legs()
    july, august, other = joins.habits(joins.fleet(flown, ["2013-07", "2013-08"]), flown).rows(named=True)
    assert (july["carrier"], july["dests"], july["departures"], july["new"]) == ("AA", ["BOS", "MIA"], [2, 1], ["DEN"])
    assert (august["carrier"], august["dests"], august["new"]) == ("UA", ["BOS", "DEN"], ["SFO"])
    assert (other["tailnum"], other["dests"], other["new"]) == ("N2", ["DEN"], [])


def test_a_month_is_the_same_alone_and_among_others() -> None:
    flown = legs()
    alone = joins.habits(joins.fleet(flown, ["2013-07"]), flown)
    among = joins.habits(joins.fleet(flown, ["2013-07", "2013-08"]), flown)
    assert alone.equals(among.filter(pl.col("month") == "2013-07"))
