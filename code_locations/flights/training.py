"""A model of late arrivals: trained on the months before, tested on a later month, never on a shuffled mixture.

scikit-learn and matplotlib are imported inside the functions: definitions load without them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from code_locations.flights.joins import CATEGORICAL, FEATURES, LABEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from sklearn.pipeline import Pipeline

PREDICTION_KEYS = ("flight_id", "month", "flight_date", "carrier", "origin", "dest")
PROBABILITY = "probability_late"
IMPORTANCE_ROWS = 4_000
IMPORTANCE_REPEATS = 2
CALIBRATION_BINS = 10
SKETCH_POINTS = 20
BLUE, ORANGE, GREY = "#2166ac", "#d6604d", "#8c8c8c"


@dataclass(frozen=True)
class Trained:
    """A trained model and how it did on the test month.

    model: takes a frame with the columns FEATURES; predict_proba[:, 1] is the probability of a late arrival.
    metrics: roc_auc, average_precision, brier, base_rate (share of late arrivals in the test month), rows_train,
        rows_test.
    importances: feature, importance (drop of the ROC AUC when the column is shuffled), largest first.
    scores: flight_id, late, probability_late of the labelled rows of the test month.
    """

    model: Pipeline = field(repr=False)
    test_month: str
    metrics: dict[str, float]
    importances: pl.DataFrame = field(repr=False)
    scores: pl.DataFrame = field(repr=False)


def train(
    features: pl.DataFrame, test_month: str, seed: int = 0, trees: int = 100, learning_rate: float = 0.1
) -> Trained:
    """Trains on the labelled rows of the months before `test_month` ('2013-07'), tests on those of `test_month`.

    features: the columns of DepartureFeatures, any number of months; later months are ignored.
    ValueError: no labelled row before or in the test month, or only one class among them.
    """
    before, test = _split(features, test_month)
    model = _pipeline(seed, trees, learning_rate)
    model.fit(before.select(FEATURES), before[LABEL].to_numpy())
    scores = test.select("flight_id", LABEL).with_columns(predict(model, test)[PROBABILITY])
    importances = _importances(model, test, seed)
    metrics = {**_metrics(scores), "rows_train": float(before.height), "rows_test": float(test.height)}
    return Trained(model, test_month, metrics, importances, scores)


def predict(model: Pipeline, features: pl.DataFrame) -> pl.DataFrame:
    """PREDICTION_KEYS and probability_late (0 to 1) of every row, in the order of `features`."""
    if features.is_empty():  # scikit-learn refuses a frame without rows
        return features.select(*PREDICTION_KEYS, pl.lit(0.0).alias(PROBABILITY))
    probability = model.predict_proba(features.select(FEATURES))[:, 1]
    return features.select(PREDICTION_KEYS).with_columns(pl.Series(PROBABILITY, probability))


def scores(model: Pipeline, features: pl.DataFrame, test_month: str) -> pl.DataFrame:
    """truth (0 or 1), score (0 to 1), origin and flight_date of each labelled row of the test month."""
    test = features.filter(pl.col(LABEL).is_not_null(), pl.col("month") == test_month)
    return test.select("origin", "flight_date", truth=pl.col(LABEL).cast(pl.Float64)).with_columns(
        predict(model, test)[PROBABILITY].alias("score")
    )


def _split(features: pl.DataFrame, test_month: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The labelled rows of the months before, and of the test month."""
    labelled = features.filter(pl.col(LABEL).is_not_null())
    before = labelled.filter(pl.col("month") < test_month)
    test = labelled.filter(pl.col("month") == test_month)
    return _usable(before, f"before {test_month}", "train on"), _usable(test, f"in {test_month}", "test on")


def _usable(rows: pl.DataFrame, when: str, purpose: str) -> pl.DataFrame:
    if rows.is_empty():
        raise ValueError(f"There is no labelled departure {when} to {purpose}; build the features {when} first.")
    if rows[LABEL].n_unique() == 1:
        only = "late" if rows[LABEL][0] else "punctual"
        raise ValueError(
            f"All labelled departures {when} are {only}; a model needs late and punctual ones to {purpose}."
        )
    return rows


def _pipeline(seed: int, trees: int, learning_rate: float) -> Pipeline:
    """Codes for the categories, then boosted trees, which take missing values as they are."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    # A category never seen in training becomes a missing value. The trees' own handling of categories was no better on
    # this data, and a saved model would then hold a functools.partial, which whoever loads it would have to trust.
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    columns = ColumnTransformer([("codes", codes, list(CATEGORICAL))], remainder="passthrough")
    boosted = HistGradientBoostingClassifier(
        max_iter=trees, learning_rate=learning_rate, early_stopping=False, random_state=seed
    )
    return Pipeline([("columns", columns), ("trees", boosted)])


def _metrics(scores: pl.DataFrame) -> dict[str, float]:
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    late, probability = scores[LABEL].to_numpy(), scores[PROBABILITY].to_numpy()
    return {
        "roc_auc": float(roc_auc_score(late, probability)),
        "average_precision": float(average_precision_score(late, probability)),
        "brier": float(brier_score_loss(late, probability)),
        "base_rate": float(late.mean()),
    }


def auc_by(trained: Trained, features: pl.DataFrame, column: str) -> dict[str, float]:
    """The ROC AUC of the test month for each value of a column; values with one class alone have none."""
    from sklearn.metrics import roc_auc_score

    scores = trained.scores.join(features.select("flight_id", column), on="flight_id")
    parts = scores.partition_by(column, as_dict=True).items()
    both = {str(value): part for (value,), part in parts if part[LABEL].n_unique() > 1}
    return {
        value: float(roc_auc_score(part[LABEL].to_numpy(), part[PROBABILITY].to_numpy()))
        for value, part in sorted(both.items())
    }


def _importances(model: Pipeline, test: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Permutation importance (Breiman 2001) on a sample of the test month: the drop of the ROC AUC, mean of repeats.

    Not scikit-learn's function: that one takes no polars frames.
    """
    sample = _both_classes(test, seed)
    unshuffled = _auc(model, sample)

    def drop(feature: str, repeat: int) -> float:
        return unshuffled - _auc(model, sample.with_columns(pl.col(feature).shuffle(seed=seed + repeat)))

    drops = [sum(drop(feature, repeat) for repeat in range(IMPORTANCE_REPEATS)) for feature in FEATURES]
    table = pl.DataFrame({"feature": FEATURES, "importance": [total / IMPORTANCE_REPEATS for total in drops]})
    return table.sort("importance", "feature", descending=[True, False])


def _both_classes(test: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A sample of IMPORTANCE_ROWS rows; the whole month where the sample would lack one class."""
    sample = test.sample(min(IMPORTANCE_ROWS, test.height), seed=seed)
    return test if sample[LABEL].n_unique() == 1 else sample


def _auc(model: Pipeline, rows: pl.DataFrame) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(rows[LABEL].to_numpy(), predict(model, rows)[PROBABILITY].to_numpy()))


def figure_png(trained: Trained) -> bytes:
    """One PNG picture of the test month: the ROC curve on the left, the calibration on the right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)  # no pyplot: its global state is not safe in a server or a thread
    rows = int(trained.metrics["rows_test"])
    figure.suptitle(f"Late arrivals out of New York, {trained.test_month}: {rows:,} departures the model has not seen")
    left, right = figure.subplots(1, 2)
    _draw_roc(left, trained)
    _draw_calibration(right, trained)
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def sketch_markdown(trained: Trained) -> str:
    """Both curves in fewer than 1,000 characters of Markdown: what is longer, Dagster's UI hides behind a link."""
    from numpy import interp, linspace
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(trained.scores[LABEL].to_numpy(), trained.scores[PROBABILITY].to_numpy())
    along = linspace(0, 1, SKETCH_POINTS + 1)
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='470' height='224' font-family='sans-serif' fill='none'>"
        "<path stroke='#bbb' d='M1,22V222H201M261,22V222H461M1,222L201,22M261,222L461,22'/><g stroke-width='3'>"
        f"<path stroke='{BLUE}' d='M{_line(zip(along, interp(along, false, true), strict=True), 1)}'/>"
        f"<path stroke='{ORANGE}' d='M{_line(_calibration(trained.scores).drop('bin').iter_rows(), 261)}'/></g>"
        f"<g fill='#555'><text y='14'>ROC, area {trained.metrics['roc_auc']:.3f}</text>"
        f"<text x='260' y='14'>Calibration, Brier {trained.metrics['brier']:.3f}</text></g></svg>"
    )
    return f"![ROC curve and calibration](data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()})"


def _line(points: Iterable[tuple[float, float]], left: int) -> str:
    """Points of the unit square in a square of 200 by 200 that begins at `left` and ends at 222 from the top."""
    return " ".join(f"{left + 200 * x:.0f},{222 - 200 * y:.0f}" for x, y in points)


def _draw_roc(axes: Axes, trained: Trained) -> None:
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(trained.scores[LABEL].to_numpy(), trained.scores[PROBABILITY].to_numpy())
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="guessing (0.5)")
    axes.plot(false, true, color=BLUE, linewidth=2, label=f"model ({trained.metrics['roc_auc']:.3f})")
    axes.fill_between(false, true, color=BLUE, alpha=0.08)
    axes.set(xlabel="Punctual departures called late", ylabel="Late departures found", title="ROC curve")
    axes.legend(loc="lower right", frameon=False, title="area under the curve")
    _dress(axes)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal")


def _draw_calibration(axes: Axes, trained: Trained) -> None:
    """Observed against predicted share of late arrivals, in bins of equally many departures."""
    bins = _calibration(trained.scores)
    base = trained.metrics["base_rate"]
    top = max(0.1, 1.1 * float(bins.select("predicted", "observed").to_numpy().max()))
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
    axes.axhline(base, color=GREY, linestyle=":", linewidth=1, label=f"share of the month ({base:.2f})")
    axes.plot(bins["predicted"], bins["observed"], color=ORANGE, marker="o", linewidth=2, label="model")
    axes.set(xlabel="Predicted probability", ylabel="Observed share of late arrivals")
    axes.set(title=f"Calibration (Brier score {trained.metrics['brier']:.3f})")
    axes.legend(loc="upper left", frameon=False)
    _dress(axes)
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")


def _calibration(scores: pl.DataFrame) -> pl.DataFrame:
    """predicted (mean probability), observed (share of late arrivals) of bins of equally many departures."""
    ranked = scores.sort(PROBABILITY).with_row_index("rank")
    return (
        ranked.group_by(bin=pl.col("rank") * CALIBRATION_BINS // scores.height)
        .agg(predicted=pl.col(PROBABILITY).mean(), observed=pl.col(LABEL).mean())
        .sort("bin")
    )


def _dress(axes: Axes) -> None:
    axes.grid(color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
