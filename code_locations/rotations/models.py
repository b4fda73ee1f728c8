"""Which destinations are next: a model for each month, what guards it, and its suggestions."""

from typing import Any

import dagster as dg
import polars as pl

from code_locations.rotations import schemas, training
from code_locations.rotations.imports import MODEL_MONTHS
from platform_core import Compute, gate, log_metric, model, prediction, volume


class Factors(dg.Config):
    """What a sweep may vary."""

    factors: int = 16
    regularization: float = 10.0
    confidence: float = 5.0


@model(
    partitions_def=MODEL_MONTHS,
    checks=[gate("habits", training.scores, loss="absolute_error", segments=["carrier"])],
    kinds={"model"},
    metadata={
        "limits": [
            "Departures from New York only: where an aircraft goes from elsewhere is not seen.",
            "Says what is alike, not what is scheduled: a new route of a carrier is a surprise to it.",
        ]
    },
    compute=Compute(cpu=1, memory="2GiB", timeout="10m", extras=("factors",)),
)
def rotation_model(habits: pl.DataFrame, config: Factors) -> Any:
    """Where will an aircraft go that it has not been? From the half year before the month, judged on the month."""
    found = training.train(habits, config.factors, config.regularization, config.confidence)
    for name, value in training.metrics(found, habits).items():
        log_metric(name, round(value, 4))
    for carrier, value in training.by_carrier(found, habits).items():
        log_metric(training.NDCG, round(value, 4), segment=f"carrier={carrier}")
    return found


@dg.asset_check(asset=rotation_model, blocking=True, additional_ins={"habits": dg.AssetIn(["rotations", "habits"])})
def better_than_popularity(rotation_model: Any, habits: pl.DataFrame) -> dg.AssetCheckResult:
    """Naming what the carrier's other aircraft fly to most takes no model; one that finds less is not published."""
    found = training.metrics(rotation_model, habits)
    own, *others = (
        found[name] for name in (training.NDCG, *(f"{training.NDCG}_{name}" for name in training.BASELINES))
    )
    passed = own > max(others)
    told = f"{training.NDCG} is {own:.3f}, where popularity alone gives {max(others):.3f}."
    return dg.AssetCheckResult(passed=passed, description=None if passed else told, metadata=found)


@prediction(schema=schemas.Suggestions, checks=[volume()], partitions_def=MODEL_MONTHS, partition_by="month")
def suggestions(rotation_model: Any, habits: pl.DataFrame) -> pl.DataFrame:
    """The five destinations that each aircraft is likeliest to go to next, of those that are new to it."""
    return training.suggestions(rotation_model, habits)
