"""The model of each month, trained on the half year before it, and its predictions for that month."""

import base64
from typing import Any

import dagster as dg
import polars as pl

from code_locations.flights import schemas, training
from code_locations.flights.partitions import MODEL_MONTHS, WITH_TRAINING_MONTHS
from platform_core import model, prediction


@model(
    partitions_def=MODEL_MONTHS,
    kinds={"model", "scikitlearn"},
    ins={"departure_features": dg.AssetIn(partition_mapping=WITH_TRAINING_MONTHS)},
)
def delay_model(context: dg.AssetExecutionContext, departure_features: pl.DataFrame) -> dg.MaterializeResult[Any]:
    """Will a departure arrive more than 15 minutes late? Gradient boosted trees, tested on the partition's month."""
    trained = training.train(departure_features, test_month=context.partition_key)
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


@prediction(schema=schemas.DelayPredictions, partitions_def=MODEL_MONTHS, partition_by="month")
def delay_predictions(delay_model: Any, departure_features: pl.DataFrame) -> pl.DataFrame:
    """The probability of a late arrival for every departure of the month, from the model trained before it."""
    return training.predict(delay_model, departure_features)


def _table(importances: pl.DataFrame) -> str:
    lines = [f"| {name} | {value:.4f} |" for name, value in importances.iter_rows()]
    return "\n".join(["| feature | loss of ROC AUC when shuffled |", "|---|---|", *lines])
