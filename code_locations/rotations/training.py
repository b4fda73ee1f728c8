"""Which destinations an aircraft might as well have flown to: factors of aircraft and destinations.

Implicit feedback by alternating least squares (Hu, Koren and Volinsky 2008). Only the training needs the library
`implicit`; a model is the factors of destinations, from which those of any aircraft follow by one least squares step,
also of one that the training never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from numpy import ndarray

AT = 10  # destinations, of which the gain is taken
SUGGESTED = 5
ITERATIONS = 20
FEWEST = 30  # aircraft of a carrier, below which nothing is said of it
NDCG, RECALL = f"ndcg_at_{AT}", f"recall_at_{SUGGESTED}"
BASELINES = ("popular", "popular_with_carrier")


def train(
    habits: pl.DataFrame, factors: int = 16, regularization: float = 10.0, confidence: float = 5.0, seed: int = 0
) -> dict[str, Any]:
    """The factors of destinations, as plain values.

    Args:
        habits: dests and departures of each aircraft; what it did afterwards is not read.
        confidence: how much more a destination counts that was flown to, times the logarithm of how often.

    Raises:
        ValueError: there are fewer aircraft or destinations than factors.
    """
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    destinations = sorted(habits["dests"].explode().drop_nulls().unique())
    if not 0 < factors < min(len(destinations), habits.height):
        raise ValueError(
            f"{factors} factors cannot be had of {habits.height} aircraft and {len(destinations)} destinations;"
            " choose fewer than there are of either, or compute more months first."
        )
    known = csr_matrix(_confidences(habits, destinations, confidence), dtype="float32")
    with threadpool_limits(1, "blas"):  # more would wait for each other on matrices this small
        als = AlternatingLeastSquares(
            factors, regularization, alpha=1.0, iterations=ITERATIONS, random_state=seed, num_threads=1
        )
        als.fit(known, show_progress=False)
    found = als.item_factors.astype("float64").round(6).tolist()
    about = {"regularization": float(regularization), "confidence": float(confidence)}
    return {"destinations": destinations, "factors": found, **about}


def _confidences(habits: pl.DataFrame, destinations: Sequence[str], confidence: float) -> ndarray:
    """Aircraft by destinations: 0 where it never was."""
    import numpy as np

    matrix = np.zeros((habits.height, len(destinations)))
    where = pl.DataFrame({"dests": destinations, "column": range(len(destinations))})
    pairs = habits.select("dests", "departures").with_row_index("row").explode("dests", "departures")
    pairs = pairs.join(where, on="dests")  # a destination that the model does not know tells it nothing
    told = confidence * np.log1p(pairs["departures"].to_numpy())
    matrix[pairs["row"].to_numpy(), pairs["column"].to_numpy()] = told
    return matrix


def scored(model: dict[str, Any], habits: pl.DataFrame) -> ndarray:
    """Aircraft by destinations of the model: near 1 where an aircraft might as well have been."""
    import numpy as np

    items = np.array(model["factors"])
    known = _confidences(habits, model["destinations"], model["confidence"])
    common = items.T @ items + model["regularization"] * np.eye(items.shape[1])
    own = np.einsum("ud,dk,dl->ukl", np.where(known > 0, known - 1, 0), items, items, optimize=True)
    aircraft = np.linalg.solve(common + own, (known @ items)[:, :, None])[:, :, 0]
    found: ndarray = aircraft @ items.T
    return found


def popular(habits: pl.DataFrame, destinations: Sequence[str]) -> ndarray:
    """The same for each aircraft: the share of all aircraft that were there."""
    return _share(_confidences(habits, destinations, 1.0) > 0)


def popular_with_carrier(habits: pl.DataFrame, destinations: Sequence[str]) -> ndarray:
    """The share of its carrier's aircraft that were there; what no baseline without a model easily beats."""
    import numpy as np

    been = _confidences(habits, destinations, 1.0) > 0
    carriers = habits["carrier"].to_numpy()
    found = np.zeros(been.shape)
    for carrier in set(carriers):
        found[carriers == carrier] = _share(been[carriers == carrier])
    return found


def _share(been: ndarray) -> ndarray:
    import numpy as np

    return np.broadcast_to(been.mean(axis=0), been.shape)


def best(scores: ndarray, habits: pl.DataFrame, destinations: Sequence[str], count: int) -> pl.DataFrame:
    """row, rank (from 1), dest and score of the `count` best destinations where each aircraft has not been."""
    import numpy as np

    unseen = np.where(_confidences(habits, destinations, 1.0) > 0, -np.inf, scores)
    order = np.argsort(-unseen, axis=1, kind="stable")[:, :count]
    row, rank = np.indices(order.shape)
    columns: dict[str, Any] = {
        "row": row,
        "rank": rank + 1,
        "column": order,
        "score": np.take_along_axis(unseen, order, axis=1),
    }
    flat = pl.DataFrame({name: values.ravel() for name, values in columns.items()})
    dest = pl.Series("dest", destinations, dtype=pl.String).gather(flat["column"])
    told = flat.with_columns(dest).filter(pl.col("score").is_finite())
    return told.select(pl.col("row", "rank").cast(pl.Int64), "dest", "score")


def judged(scores: ndarray, habits: pl.DataFrame, destinations: Sequence[str]) -> pl.DataFrame:
    """tailnum, carrier, ndcg_at_10 and recall_at_5 of each aircraft that went somewhere new in its month.

    NDCG (Jarvelin and Kekalainen 2002) is 1 where all new destinations come first. Recall is of those for which there
    is room among five.
    """
    truth = habits.with_row_index("row").select(pl.col("row").cast(pl.Int64), "tailnum", "carrier", "new")
    told = best(scores, habits, destinations, AT).join(truth, on="row")
    hits = told.filter(pl.col("dest").is_in(pl.col("new")))
    gains = hits.group_by("row").agg(
        gain=(1 / (pl.col("rank") + 1).log(2)).sum(), found=(pl.col("rank") <= SUGGESTED).sum()
    )
    rows = truth.filter(pl.col("new").list.len() > 0).join(gains, on="row", how="left").sort("row")
    ideal = pl.Series([sum(_gain(rank) for rank in range(min(AT, len(new)))) for new in rows["new"]], dtype=pl.Float64)
    return rows.select(
        "tailnum",
        "carrier",
        (pl.col("gain").fill_null(0.0) / ideal).alias(NDCG),
        (pl.col("found").fill_null(0) / pl.col("new").list.len().clip(upper_bound=SUGGESTED)).alias(RECALL),
    )


def _gain(place: int) -> float:
    import math

    return 1 / math.log2(place + 2)


def metrics(model: dict[str, Any], habits: pl.DataFrame) -> dict[str, float]:
    """Means over the aircraft that went somewhere new, and as `<metric>_<baseline>` those of what must be beaten."""
    destinations = model["destinations"]
    own = judged(scored(model, habits), habits, destinations)
    found = {NDCG: _mean(own, NDCG), RECALL: _mean(own, RECALL), "aircraft": float(own.height)}
    for name, baseline in zip(BASELINES, (popular, popular_with_carrier), strict=True):
        rows = judged(baseline(habits, destinations), habits, destinations)
        found |= {f"{metric}_{name}": _mean(rows, metric) for metric in (NDCG, RECALL)}
    return found


def by_carrier(model: dict[str, Any], habits: pl.DataFrame) -> dict[str, float]:
    """The mean NDCG of each carrier with enough aircraft."""
    rows = judged(scored(model, habits), habits, model["destinations"])
    means = rows.group_by("carrier").agg(pl.col(NDCG).mean(), pl.len()).filter(pl.col("len") >= FEWEST)
    return dict(means.sort("carrier").select("carrier", NDCG).iter_rows())


def _mean(rows: pl.DataFrame, name: str) -> float:
    return float(rows[name].to_numpy().mean()) if rows.height else 0.0


def scores(model: dict[str, Any], habits: pl.DataFrame, _partition: str) -> pl.DataFrame:
    """truth (1), score (the NDCG) and carrier of each aircraft that went somewhere new, which no model has seen."""
    rows = judged(scored(model, habits), habits, model["destinations"])
    return rows.select("carrier", truth=pl.lit(1.0), score=pl.col(NDCG))


def suggestions(model: dict[str, Any], habits: pl.DataFrame) -> pl.DataFrame:
    """month, tailnum, rank, dest and score of the five destinations that are likeliest and new to each aircraft."""
    told = best(scored(model, habits), habits, model["destinations"], SUGGESTED)
    who = habits.with_row_index("row").select(pl.col("row").cast(pl.Int64), "month", "tailnum")
    return told.join(who, on="row").select("month", "tailnum", "rank", "dest", "score").sort("month", "tailnum", "rank")
