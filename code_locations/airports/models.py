"""What the airports learn from their days, and what they expect of the next ones."""

from typing import Any

import dagster as dg
import pandas as pd

from code_locations.airports import schemas, training
from platform_core import Compute, gate, model, prediction


@model(
    checks=[
        gate("airport_days", training.scores, loss="absolute_error", segments=["origin"], cluster="date"),
    ],
    compute=Compute(extras=("forecast",)),
)
def departures_model(airport_days: pd.DataFrame) -> dg.MaterializeResult[Any]:
    """Departures and their late share by airport and day: level, trend and what the weekday adds.

    The last two weeks are held out. The metrics tell the mean error on them, beside that of the four weeks before.
    """
    trained = training.train(airport_days)
    return dg.MaterializeResult(value=trained.model, metadata=trained.metrics)


@dg.asset_check(
    asset=departures_model,
    description="Nearer to the last two weeks than the mean of their weekdays.",
    additional_ins={"airport_days": dg.AssetIn(["airports", "airport_days"])},
)
def better_than_weekdays(departures_model: Any, airport_days: pd.DataFrame) -> dg.AssetCheckResult:
    """A model that knows no more than the weekday is not worth its while: the owner is told, nothing is held back."""
    metrics = training.metrics(departures_model, airport_days)
    worse = [name for name in training.SERIES if metrics[f"error_{name}"] > metrics[f"baseline_{name}"]]
    return dg.AssetCheckResult(
        passed=not worse,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The mean of weekdays was nearer for {', '.join(worse)}." if worse else None,
        metadata=metrics,
    )


@prediction(schema=schemas.DeparturesForecast)
def departures_forecast(departures_model: Any, airport_days: pd.DataFrame) -> pd.DataFrame:
    """Departures and late share that each airport expects on the 14 days after its last one."""
    return training.forecast(departures_model, airport_days)
