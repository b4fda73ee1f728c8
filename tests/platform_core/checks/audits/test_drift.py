"""Features and predictions are compared with what production's model was trained on, found by its provenance."""

from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core import feature, model
from platform_core.auditing.links import linked_to_models
from platform_core.catalog.catalog import Catalog
from platform_core.checks.audits.drift import drift
from platform_core.namespaces import PRODUCTION
from tests.platform_core.checks.audits.worlds import rows, world
from tests.platform_core.runs import run, sentence

GOOD = {"x": 2.0, "left": 1.0, "right": -1.0}


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    assert run(*world(rows(), GOOD)).success
    assert run(*world(rows(seed=1), GOOD), only=None).success
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")


def drift_of(result: dg.ExecuteInProcessResult, asset: str) -> dg.AssetCheckEvaluation:
    (found,) = [
        item
        for item in result.get_asset_check_evaluations()
        if item.check_name == "drift" and item.asset_key.path[-1] == asset
    ]
    return found


def test_without_a_model_in_production_there_is_no_reference() -> None:
    result = run(*world(rows(), GOOD))
    assert result.success
    assert "No version of t/trained is in production yet" in str(drift_of(result, "features").description)


@pytest.mark.usefixtures("in_production")
def test_what_has_not_moved_passes() -> None:
    result = run(*world(rows(seed=2), GOOD))
    assert drift_of(result, "features").passed
    assert drift_of(result, "predictions").passed


@pytest.mark.usefixtures("in_production")
@pytest.mark.parametrize(
    ("table", "told"), [(rows(shift=1.0), "x has shifted (PSI"), (rows(missing=0.3), "x is missing in 29%")]
)
def test_what_has_moved_is_told_with_a_picture_and_goes_on(table: Any, told: str, catalog: Catalog) -> None:
    result = run(*world(table, GOOD))
    assert result.success
    evaluation = drift_of(result, "features")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told in str(evaluation.description)
    trained = catalog.resolve(PRODUCTION, "t/trained")[""].version
    assert trained.label in str(evaluation.description)
    assert "data:image/svg+xml" in str(evaluation.metadata["x (t/trained)"].value)


def monthly(months: int, shift: float, monkeypatch: pytest.MonkeyPatch) -> dg.AssetCheckEvaluation:
    """The drift of a month after so many in production, which a model was trained on, and whose level varies."""
    keys = [f"2026-{number:02}" for number in range(1, months + 2)]

    @feature(key_prefix="t", checks=[drift()], partitions_def=dg.StaticPartitionsDefinition(keys), partition_by="month")
    def features(context: dg.AssetExecutionContext) -> pl.DataFrame:
        (key,) = context.partition_keys
        number = keys.index(key)
        level = 0.1 * (-1) ** number + (shift if number == months else 0)
        return rows(shift=level, seed=number).with_columns(month=pl.lit(key)).drop("id")

    learning = dg.AssetIn(partition_mapping=dg.SpecificPartitionsPartitionMapping(keys[:-1]))

    @model(key_prefix="t", ins={"features": learning})
    def trained(features: pl.DataFrame) -> dict[str, float]:
        return GOOD

    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    first, second = linked_to_models([features, trained])
    for key in keys[:-1]:
        assert run(first, of=key).success
    assert run(first, second, only=second).success
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")
    return drift_of(run(first, of=keys[-1]), "features")


def test_a_month_is_judged_by_what_months_usually_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    assert monthly(6, 0.0, monkeypatch).passed


def test_a_month_that_lies_beyond_what_months_differ_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = monthly(6, 2.0, monkeypatch)
    assert not found.passed
    assert "x has shifted (PSI" in str(found.description)
    assert "trained on [2026-01..2026-06]" in str(found.description)


def test_few_months_do_not_say_what_months_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    found = monthly(3, 2.0, monkeypatch)
    assert found.passed
    assert "Not judged: 3 partitions are too few to know how much they usually differ" in str(found.description)
    assert "| x | numbers |" in str(found.metadata["columns against t/trained"].value)


@pytest.mark.usefixtures("in_production")
def test_predictions_are_compared_with_those_for_what_the_model_learned_from() -> None:
    assert "p has shifted" in str(drift_of(run(*world(rows(shift=2.0), GOOD)), "predictions").description)


@pytest.mark.usefixtures("in_production")
def test_a_column_that_is_not_there_is_named() -> None:
    result = run(*world(rows(), GOOD, features=[drift("speed")]))
    assert "t/features has no column speed with numbers or categories" in str(drift_of(result, "features").description)


@pytest.mark.usefixtures("in_production")
def test_a_drift_may_block() -> None:
    assert "x has shifted" in sentence(run(*world(rows(shift=1.0), GOOD, features=[drift(blocking=True)])))
