"""A location with features, a model and predictions, whose data a test can shift, leak or spoil."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandera.polars as pa
import polars as pl

from platform_core import feature, model, prediction
from platform_core.auditing.links import linked_to_models
from platform_core.checks.audits.drift import drift
from platform_core.checks.audits.gate import gate


class Features(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    x: float = pa.Field(nullable=True)
    side: str
    y: float


def rows(number: int = 900, shift: float = 0.0, missing: float = 0.0, seed: int = 0) -> pl.DataFrame:
    """Rows whose `y` follows from `x` and a side, with noise."""
    random = np.random.default_rng(seed)
    x, side = random.normal(shift, 1, number), random.choice(["left", "right"], number)
    y = 2 * x + np.where(side == "left", 1, -1) + random.normal(0, 0.5, number)
    gone = random.random(number) < missing
    return pl.DataFrame({"id": range(number), "x": x, "side": side, "y": y}).with_columns(
        x=pl.when(pl.Series(~gone)).then("x")
    )


def scores(weights: dict[str, float], held_out: pl.DataFrame, partition: str) -> pl.DataFrame:
    del partition
    return held_out.select("side", truth="y", score=predicted(weights))


def predicted(weights: dict[str, float]) -> pl.Expr:
    sided = pl.when(pl.col("side") == "left").then(weights["left"]).otherwise(weights["right"])
    return weights["x"] * pl.col("x").fill_null(0) + sided


def world(table: pl.DataFrame, weights: dict[str, float], **checks: Sequence[Any]) -> list[Any]:
    """Features, a model and predictions; `checks` replaces those of the assets of these names."""
    said: dict[str, list[Any]] = {
        "features": [drift()],
        "trained": [gate("features", scores, loss="squared_error", segments=["side"])],
    }
    said |= {name: list(items) for name, items in checks.items()}

    @feature(key_prefix="t", schema=Features, checks=said["features"])
    def features() -> pl.DataFrame:
        return table

    @model(key_prefix="t", checks=said["trained"])
    def trained(features: pl.DataFrame) -> dict[str, float]:
        return weights

    @prediction(key_prefix="t", checks=[drift()])
    def predictions(features: pl.DataFrame, trained: dict[str, float]) -> pl.DataFrame:
        return features.select("id", p=predicted(trained))

    return linked_to_models([features, trained, predictions])
