"""What a function logs is taken where a step runs, and nowhere else."""

import math
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from platform_core import log_figure, log_metric, log_params
from platform_core.errors import UnsupportedValueError
from platform_core.tracking.record import MOST_POINTS, listening, recording
from tests.platform_core.tracking.pictures import PNG, SVG


def test_outside_of_a_step_nothing_happens() -> None:
    log_metric("auc", 0.5)
    log_params(depth=4)
    log_figure("roc", PNG)


def test_numbers_parameters_and_figures_are_taken() -> None:
    with recording() as record:
        log_metric("auc", np.float32(0.5))
        log_metric("auc", 0.25, segment="origin=JFK")
        log_params({"trees": {"depth": np.int64(4)}}, name="first", weights=[1, 2], rate=math.inf)
        log_figure("roc", PNG)
        log_figure("curve", SVG.decode())
    assert record.metrics == {"auc": 0.5, "auc[origin=JFK]": 0.25}
    assert record.parameters == {"trees.depth": 4, "name": "first", "weights": "[1, 2]", "rate": "inf"}
    assert record.figures == {"roc": PNG, "curve": SVG}


def test_of_a_metric_in_steps_the_last_one_counts_and_all_are_kept() -> None:
    seen: list[tuple[str, float, int]] = []
    with listening(lambda *told: seen.append(told)), recording() as record:
        for step in range(3):
            log_metric("loss", 1 / (1 + step), step=step)
    assert record.metrics == {"loss": 1 / 3}
    assert record.series == {"loss": [(0, 1.0), (1, 0.5), (2, 1 / 3)]}
    assert [step for _, _, step in seen] == [0, 1, 2]


def test_a_long_series_keeps_its_shape_in_few_points() -> None:
    with recording() as record:
        for step in range(5 * MOST_POINTS):
            log_metric("loss", step, step=step)
    points = record.series["loss"]
    assert len(points) <= MOST_POINTS
    assert points[0] == (0, 0.0)
    assert points[-1][0] > 4.9 * MOST_POINTS


def test_what_is_no_finite_number_is_kept_as_text() -> None:
    with recording() as record:
        log_metric("loss", math.nan)
    assert record.metrics == {"loss": "nan"}


def test_threads_of_a_function_log_too() -> None:
    with recording() as record:
        thread = threading.Thread(target=log_metric, args=("auc", 1))
        thread.start()
        thread.join()
    assert record.metrics == {"auc": 1.0}


def test_a_figure_may_be_of_a_library() -> None:
    figure = SimpleNamespace(savefig=lambda target, **_: target.write(PNG))
    with recording() as record:
        log_figure("matplotlib", figure)
        log_figure("axes", SimpleNamespace(figure=figure))
        log_figure("plotly", SimpleNamespace(to_image=lambda format: PNG))
    assert set(record.figures.values()) == {PNG}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: log_metric("auc", "high"), "The metric auc is 'high', which is no number; log it with log_params"),  # type: ignore[arg-type]
        (lambda: log_metric("headrace/version", 1), "'headrace/version' cannot be the name"),
        (lambda: log_figure("roc", 5), "The figure roc is a int; give one of matplotlib"),
        (lambda: log_figure("roc", b"GIF89a"), "The figure roc is a bytes"),
        (lambda: log_figure("roc", PNG + b"0" * 6_000_000), "more than 5,000,000"),
    ],
)
def test_what_cannot_be_kept_is_told_in_a_sentence(call: object, sentence: str) -> None:
    with recording(), pytest.raises(UnsupportedValueError, match=sentence):
        call()  # type: ignore[operator]
