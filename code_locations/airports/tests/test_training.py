"""The model knows what it was made from. statsmodels comes with an extra, which is not always installed here."""

import pandas as pd
import polars as pl
import pytest

from code_locations.airports import training

BUSY = [100, 101, 102, 103, 104, 60, 80]  # Monday to Sunday
KNOWN = {"level": 100.0, "trend": 2.0, "damping": 0.5} | {f"weekday_{day}": float(day) for day in range(7)}
MODEL = {"trained_until": "2013-01-06", "airports": {"JFK": {"departures": KNOWN, "late_share": KNOWN}}}


def days(origin: str, count: int) -> pd.DataFrame:
    dates = pd.date_range("2013-01-07", periods=count)
    departures = [BUSY[number % 7] + number for number in range(count)]
    late = [BUSY[number % 7] / 1000 for number in range(count)]
    return pd.DataFrame({"origin": origin, "date": dates, "departures": departures, "late_share": late})


def test_the_trend_fades_and_weekdays_return() -> None:
    dates = pd.Series(pd.to_datetime(["2013-01-07", "2013-01-08", "2013-01-14"]))
    told = training.expected(MODEL, "JFK", "departures", dates).tolist()
    assert told == pytest.approx([100 + 1, 100 + 1.5 + 1, 100 + 2 * (1 - 0.5**8)])


def test_a_share_stays_one() -> None:
    assert training.expected(MODEL, "JFK", "late_share", pd.Series([pd.Timestamp("2013-01-07")])).tolist() == [1.0]


def test_the_last_two_weeks_are_compared_with_the_weekdays_before_them() -> None:
    rows = training.held_out(MODEL, days("JFK", 42))
    assert (len(rows), str(rows["date"].min())[:10]) == (14, "2013-02-04")
    monday = rows.iloc[0]
    assert monday["baseline_departures"] == pytest.approx(sum(100 + 7 * week for week in range(4)) / 4)
    found = training.metrics(MODEL, days("JFK", 42))
    assert found["baseline_late_share"] == pytest.approx(0)
    assert found["error_late_share"] > 0


def test_the_gate_is_given_the_days_on_which_something_left() -> None:
    rows = days("JFK", 42)
    rows.loc[41, "late_share"] = None
    scored = training.scores(MODEL, pl.from_pandas(rows), "")
    assert scored.columns == ["truth", "score", "origin", "date"]
    assert scored.height == 13


def test_forecasts_are_of_the_days_after_the_last_one() -> None:
    told = training.forecast(MODEL, days("JFK", 42))
    assert (len(told), told["date"].min(), told["date"].max()) == (14, "2013-02-18", "2013-03-03")


def test_trend_and_weekdays_are_found() -> None:
    pytest.importorskip("statsmodels", reason="statsmodels comes with the extra forecast")
    rows = pd.concat([days("JFK", 84), days("LGA", 20)])
    trained = training.train(rows)
    assert trained.model["airports"].keys() == {"JFK"}  # two weeks are too few to learn from
    assert trained.metrics["error_departures"] < trained.metrics["baseline_departures"]


def test_too_few_days_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="No airport has the 28 days that a model takes"):
        training.train(days("JFK", 20))
