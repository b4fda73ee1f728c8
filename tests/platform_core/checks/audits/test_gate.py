"""A model that is worse than production's never becomes current, on the whole or on a segment."""

from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.checks.audits.gate import SCORE, TRUTH, Loss, error_curve, gate, loss_of, roc
from platform_core.namespaces import PRODUCTION
from tests.platform_core.checks.audits.worlds import rows, world
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run, sentence

GOOD = {"x": 2.0, "left": 1.0, "right": -1.0}


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    assert run(*world(rows(), GOOD)).success
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")


def gate_of(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    (found,) = [item for item in result.get_asset_check_evaluations() if item.check_name == "gate"]
    return found


def test_the_first_model_of_all_passes() -> None:
    result = run(*world(rows(), {"x": 0.0, "left": 0.0, "right": 0.0}))
    assert result.success
    assert "no model t/trained yet" in str(gate_of(result).description)


@pytest.mark.usefixtures("in_production")
def test_one_that_is_as_good_passes_and_shows_both_curves(catalog: Catalog) -> None:
    result = run(*world(rows(seed=3), {**GOOD, "x": 2.01}))
    assert result.success
    metadata = gate_of(result).metadata
    assert metadata["production"].value == catalog.resolve(PRODUCTION, "t/trained")[""].version.label
    assert "production blue, challenger orange" in str(metadata["curves"].value)
    assert "| side left |" in str(metadata["verdicts"].value)


@pytest.mark.usefixtures("in_production")
@pytest.mark.parametrize(
    ("weights", "told"),
    [({**GOOD, "x": 1.5}, "all rows"), ({**GOOD, "left": 0.5}, "side left (squared_error")],
    ids=["everywhere", "on one segment"],
)
def test_one_that_is_worse_is_kept_marked_and_never_current(
    weights: dict[str, float], told: str, catalog: Catalog
) -> None:
    result = run(*world(rows(seed=3), weights))
    assert "t/trained was not published: worse than t/trained@" in sentence(result)
    assert told in sentence(result)
    (loser,) = catalog.unpublished(TESS, "t/trained")
    assert "worse than" in str(loser.rejected)
    assert catalog.resolve(TESS, "t/trained")[""].shown_by == "production"
    assert "t/predictions" not in {
        item.version.asset for item in catalog.current(TESS) if item.shown_by != "production"
    }


@pytest.mark.usefixtures("in_production")
@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (lambda model, rows, partition: rows.select(truth="y"), "scores of t/trained lacks the column score"),
        (lambda model, rows, partition: rows.sample(50).select(truth="y", score="x"), "it must not sample"),
        (lambda model, rows, partition: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_scores_that_cannot_be_used_are_told(scores: Any, told: str) -> None:
    checked = [gate("features", scores, loss="squared_error")]
    assert told in sentence(run(*world(rows(), GOOD, trained=checked)))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [("brier", 0.04), ("squared_error", 0.04), ("absolute_error", 0.2), ("log_loss", 0.2231)],
)
def test_losses_are_what_their_names_say(loss: Loss, expected: float) -> None:
    frame = pl.DataFrame({TRUTH: [1.0], SCORE: [0.8]})
    assert frame.select(loss_of(loss)).item() == pytest.approx(expected, abs=1e-4)


def test_curves_begin_and_end_in_the_corners() -> None:
    frame = pl.DataFrame({TRUTH: [1.0, 0.0, 1.0, 0.0], SCORE: [0.9, 0.8, 0.3, 0.1]})
    curve = roc(frame)
    assert (curve[0], curve[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert (0.0, 0.5) in curve
    assert error_curve(frame)[-1] == (1.0, 1.0)
