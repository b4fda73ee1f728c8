"""The model is trained on earlier months, tested on a later one, survives saving, and says what it cannot do."""

from __future__ import annotations

import base64
import io
from datetime import date
from xml.etree import ElementTree

import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from code_locations.flights.joins import FEATURES
from code_locations.flights.schemas import DelayPredictions
from code_locations.flights.training import Trained, figure_png, predict, sketch_markdown, train


@pytest.fixture(scope="module")
def few(features: pl.DataFrame) -> pl.DataFrame:
    """A thousand departures of each month."""
    return pl.concat(
        [features.filter(month=month).sample(1_000, seed=0) for month in ("2013-01", "2013-02", "2013-03")]
    )


@pytest.fixture(scope="module")
def trained(few: pl.DataFrame) -> Trained:
    return train(few, "2013-02")


def test_metrics_are_those_of_the_test_month(few: pl.DataFrame, trained: Trained):
    labelled = few.filter(pl.col("late").is_not_null())
    assert trained.metrics["rows_train"] == labelled.filter(month="2013-01").height
    assert trained.metrics["rows_test"] == labelled.filter(month="2013-02").height
    assert trained.metrics["base_rate"] == pytest.approx(labelled.filter(month="2013-02")["late"].mean())
    assert set(trained.metrics) == {"roc_auc", "average_precision", "brier", "base_rate", "rows_train", "rows_test"}
    assert 0.55 < trained.metrics["roc_auc"] < 0.95


def test_every_feature_has_an_importance_the_largest_first(trained: Trained):
    assert sorted(trained.importances["feature"]) == sorted(FEATURES)
    assert trained.importances["importance"].is_sorted(descending=True)


@pytest.mark.parametrize("threads", [1, 2])
def test_training_again_gives_the_same_with_any_number_of_threads(few: pl.DataFrame, trained: Trained, threads: int):
    with threadpool_limits(threads, user_api="openmp"):  # bounds what is loaded, which scikit-learn is by now
        again = train(few, "2013-02")
    assert again.metrics == trained.metrics
    assert again.importances.equals(trained.importances)


def test_later_months_play_no_part(few: pl.DataFrame, trained: Trained):
    assert train(few.filter(pl.col("month") <= "2013-02"), "2013-02").metrics == trained.metrics


def test_predictions_are_one_row_per_departure_and_keep_the_schema(few: pl.DataFrame, trained: Trained):
    march = few.filter(month="2013-03")
    predicted = predict(trained.model, march)
    DelayPredictions.validate(predicted)
    assert predicted["flight_id"].to_list() == march["flight_id"].to_list()


def test_a_label_is_not_needed_to_predict(few: pl.DataFrame, trained: Trained):
    march = few.filter(month="2013-03")
    assert predict(trained.model, march.drop("late")).equals(predict(trained.model, march))


def test_no_departures_give_no_predictions(few: pl.DataFrame, trained: Trained):
    predicted = predict(trained.model, few.clear())
    DelayPredictions.validate(predicted)
    assert predicted.is_empty()


def test_unknown_categories_and_missing_values_are_taken(few: pl.DataFrame, trained: Trained):
    strange = few.head(5).with_columns(
        carrier=pl.lit("ZZ"), dest=pl.lit("XYZ"), seats=pl.lit(None, pl.Int64), temp=pl.lit(None, pl.Float64)
    )
    assert predict(trained.model, strange)["probability_late"].is_between(0, 1).all()


def test_a_pandas_frame_gives_the_same_probabilities(few: pl.DataFrame, trained: Trained):
    pytest.importorskip("pandas")
    rows = few.head(100).select(FEATURES)
    assert (trained.model.predict_proba(rows) == trained.model.predict_proba(rows.to_pandas())).all()


def test_a_saved_model_predicts_the_same_and_asks_to_trust_its_trees_alone(few: pl.DataFrame, trained: Trained):
    skops = pytest.importorskip("skops.io")
    saved = skops.dumps(trained.model)
    untrusted = skops.get_untrusted_types(data=saved)
    assert untrusted == ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
    loaded = skops.loads(saved, trusted=untrusted)
    assert predict(loaded, few).equals(predict(trained.model, few))


def test_the_figure_is_a_picture_that_opens(trained: Trained):
    from matplotlib.image import imread

    picture = imread(io.BytesIO(figure_png(trained)))
    assert picture.shape[0] > 400
    assert picture.shape[1] > 800
    assert picture.min() < 0.5 < picture.max()


def test_the_sketch_is_short_enough_for_the_ui_to_show_it_in_place(trained: Trained):
    markdown = sketch_markdown(trained)
    assert len(markdown) < 1_000
    address = markdown.partition("](")[2].removesuffix(")")
    drawing = ElementTree.fromstring(base64.b64decode(address.removeprefix("data:image/svg+xml;base64,")))
    _, roc, calibration = [path.attrib["d"] for path in drawing.iter("{http://www.w3.org/2000/svg}path")]
    assert roc.startswith("M1,")
    assert roc.endswith(" 201,22")
    assert calibration.count(",") == 10


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (pl.col("month") >= "2013-02", "There is no labelled departure before 2013-02 to train on"),
        (pl.col("month") != "2013-02", "There is no labelled departure in 2013-02 to test on"),
        (pl.col("late").is_null(), "There is no labelled departure before 2013-02 to train on"),
        ((pl.col("month") > "2013-01") | pl.col("late"), "All labelled departures before 2013-02 are late"),
        ((pl.col("month") < "2013-02") | ~pl.col("late"), "All labelled departures in 2013-02 are punctual"),
        (pl.col("flight_date") > date(2020, 1, 1), "There is no labelled departure before 2013-02 to train on"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_sentence(few: pl.DataFrame, rows: pl.Expr, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        train(few.filter(rows), "2013-02")
