"""Forecasts of an airport's days. statsmodels is imported where it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

WEEK = 7
HELD_OUT = 14  # days at the end, for the metrics and for the gate
BASELINE = 28  # days before them, of which the mean of each weekday is what a model has to beat
AHEAD = 14  # days to come
SERIES = ("departures", "late_share")
LARGEST = {"late_share": 1.0}


@dataclass(frozen=True)
class Trained:
    """A model as plain values, and how it did on the days held out."""

    model: dict[str, Any] = field(repr=False)
    metrics: dict[str, float]


def train(days: pd.DataFrame) -> Trained:
    """A model of the days before the last two weeks.

    Args:
        days: origin, date, departures, late_share (missing on a day when nothing left).

    Raises:
        ValueError: no airport has the four weeks that it takes.
    """
    dated = _dated(days)
    until = dated["date"].max() - pd.Timedelta(days=HELD_OUT)
    known = dated[dated["date"] <= until]
    airports = {str(origin): _fitted(rows) for origin, rows in known.groupby("origin") if len(rows) >= 2 * WEEK}
    if not airports:
        raise ValueError(
            f"No airport has the {2 * WEEK + HELD_OUT} days that a model takes; compute more months first."
        )
    model = {"trained_until": f"{until:%Y-%m-%d}", "airports": airports}
    return Trained(model, metrics(model, days))


def _dated(days: pd.DataFrame) -> pd.DataFrame:
    return days.assign(date=pd.to_datetime(days["date"])).sort_values(["origin", "date"])


def _fitted(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {name: _parameters(rows.set_index("date")[name].astype(float)) for name in SERIES}


def _parameters(series: pd.Series) -> dict[str, float]:
    """Level, damped trend and season of a week: Holt and Winters' additive smoothing (statsmodels.tsa.holtwinters)."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    whole = series.asfreq("D").interpolate(limit_direction="both")
    smoothing = ExponentialSmoothing(whole, trend="add", damped_trend=True, seasonal="add", seasonal_periods=WEEK)
    fit = smoothing.fit()
    weekdays = {f"weekday_{day.weekday()}": float(value) for day, value in fit.season.iloc[-WEEK:].items()}
    found = {"level": fit.level.iloc[-1], "trend": fit.trend.iloc[-1], "damping": fit.params["damping_trend"]}
    return {name: float(value) for name, value in found.items()} | dict(sorted(weekdays.items()))


def expected(model: dict[str, Any], origin: str, series: str, dates: pd.Series) -> pd.Series:
    """What a model says of days after those it was trained on; of a day before, what it says of the first one."""
    known = model["airports"][origin][series]
    steps = (dates - pd.Timestamp(model["trained_until"])).dt.days.clip(lower=1)
    damping = known["damping"]
    # The sum of the damped trend over so many steps; in the limit of no damping that is the number of steps.
    lasting = steps if damping == 1 else damping * (1 - damping**steps) / (1 - damping)
    weekday = dates.dt.weekday.map(lambda day: known[f"weekday_{day}"])
    return (known["level"] + known["trend"] * lasting + weekday).clip(0, LARGEST.get(series))


def held_out(model: dict[str, Any], days: pd.DataFrame) -> pd.DataFrame:
    """The last two weeks of the airports that a model knows, with what it says of them and what weekdays do."""
    dated = _dated(days)
    dated = dated[dated["origin"].isin(model["airports"])]
    until = dated["date"].max() - pd.Timedelta(days=HELD_OUT)
    before = dated[dated["date"].between(until - pd.Timedelta(days=BASELINE - 1), until)]
    rows = dated[dated["date"] > until].reset_index(drop=True)
    for name in SERIES:
        parts = [expected(model, str(origin), name, part["date"]) for origin, part in rows.groupby("origin")]
        means = before.groupby(["origin", before["date"].dt.weekday])[name].mean().rename(f"baseline_{name}")
        rows = rows.assign(**{f"expected_{name}": pd.concat(parts), "weekday": rows["date"].dt.weekday})
        rows = rows.merge(means, how="left", left_on=["origin", "weekday"], right_on=["origin", "date"])
    return rows


def metrics(model: dict[str, Any], days: pd.DataFrame) -> dict[str, float]:
    """Mean absolute errors on the days held out: `error_<series>` of the model, `baseline_<series>` of weekdays."""
    rows = held_out(model, days)
    found = {"rows_held_out": float(len(rows))}
    for name in SERIES:
        found[f"error_{name}"] = float((rows[name] - rows[f"expected_{name}"]).abs().mean())
        found[f"baseline_{name}"] = float((rows[name] - rows[f"baseline_{name}"]).abs().mean())
    return found


def scores(model: dict[str, Any], days: Any, _partition: str) -> Any:
    """truth and score of the late share, with origin and date, of each day held out on which something left.

    Args:
        days: a polars frame, and so is what comes back.
    """
    import polars as pl

    rows = held_out(model, days.to_pandas()).dropna(subset=["late_share"])
    kept = {"truth": rows["late_share"], "score": rows["expected_late_share"], "origin": rows["origin"]}
    return pl.DataFrame({name: list(values) for name, values in kept.items()} | {"date": list(rows["date"])})


def forecast(model: dict[str, Any], days: pd.DataFrame) -> pd.DataFrame:
    """origin, date (YYYY-MM-DD), departures and late_share of the days to come of each airport that a model knows."""
    last = pd.to_datetime(days["date"]).max()
    dates = pd.Series(pd.date_range(last + pd.Timedelta(days=1), periods=AHEAD))
    parts = [
        pd.DataFrame(
            {"origin": origin, "date": dates.dt.strftime("%Y-%m-%d")}
            | {name: expected(model, origin, name, dates) for name in SERIES}
        )
        for origin in sorted(model["airports"])
    ]
    return pd.concat(parts, ignore_index=True)
