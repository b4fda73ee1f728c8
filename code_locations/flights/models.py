"""The model of each month, trained on the half year before it, and its predictions for that month."""

import base64
from typing import Any

import dagster as dg
import polars as pl

from code_locations.flights import schemas, training
from code_locations.flights.partitions import MODEL_MONTHS, WITH_TRAINING_MONTHS
from platform_core import Compute, drift, gate, log_metric, model, prediction


class Boosting(dg.Config):
    """What a sweep may vary: how many trees, and how much of each counts."""

    trees: int = 100
    learning_rate: float = 0.1


@model(
    partitions_def=MODEL_MONTHS,
    checks=[gate("departure_features", training.scores, segments=["origin"], cluster="flight_date")],
    kinds={"model", "scikitlearn"},
    metadata={"limits": "Trained on the half year before its month: holidays that are not in it are new to it."},
    # One processor each: threads of OpenMP wait for each other by spinning, so months side by side are quicker.
    compute=Compute(cpu=1, memory="4GiB", timeout="1h", retries=1),
    ins={"departure_features": dg.AssetIn(partition_mapping=WITH_TRAINING_MONTHS)},
)
def delay_model(
    context: dg.AssetExecutionContext, departure_features: pl.DataFrame, config: Boosting
) -> dg.MaterializeResult[Any]:
    """Will a departure arrive more than 15 minutes late? Gradient boosted trees, tested on the partition's month."""
    trained = training.train(
        departure_features, context.partition_key, trees=config.trees, learning_rate=config.learning_rate
    )
    for origin, auc in training.auc_by(trained, departure_features, "origin").items():
        log_metric("roc_auc", round(auc, 4), segment=f"origin={origin}")
    picture = base64.b64encode(training.figure_png(trained)).decode()
    return dg.MaterializeResult(
        value=trained.model,
        metadata={
            **{name: round(value, 4) for name, value in trained.metrics.items()},
            "curves": dg.MetadataValue.md(training.sketch_markdown(trained)),
            "curves_in_full": dg.MetadataValue.md(f"![ROC curve and calibration](data:image/png;base64,{picture})"),
            "importances": dg.MetadataValue.md(_table(trained.importances)),
        },
    )


@prediction(schema=schemas.DelayPredictions, checks=[drift()], partitions_def=MODEL_MONTHS, partition_by="month")
def delay_predictions(delay_model: Any, departure_features: pl.DataFrame) -> pl.DataFrame:
    """The probability of a late arrival for every departure of the month, from the model trained before it."""
    return training.predict(delay_model, departure_features)


def _table(importances: pl.DataFrame) -> str:
    lines = [f"| {name} | {value:.4f} |" for name, value in importances.iter_rows()]
    return "\n".join(["| feature | loss of ROC AUC when shuffled |", "|---|---|", *lines])
