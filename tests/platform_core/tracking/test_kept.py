"""What an asset logs or returns is kept with its version, wherever the version goes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core import client, feature, log_figure, log_metric, log_params, model
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import PROMOTED_FROM, Version
from platform_core.errors import CorruptVersionError
from platform_core.history.fsck import check_files
from platform_core.namespaces import PRODUCTION
from platform_core.runner.promotion import _materialization
from platform_core.store.figures import as_markdown
from platform_core.store.local import LocalStore
from platform_core.store.values import adopt_version, read_versions
from tests.platform_core.auditing.test_guard import Says
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import metadata, run, sentence
from tests.platform_core.tracking.pictures import PNG, SVG


class Trees(dg.Config):
    depth: int = 4


@feature(key_prefix="t")
def rows() -> pl.DataFrame:
    return pl.DataFrame({"x": [1, 2, 3]})


@model(key_prefix="t", metadata={"limits": "Not for the weeks around Christmas."}, owners=["team:shop"])
def forest(rows: pl.DataFrame, config: Trees) -> dict[str, int]:
    """How much will be sold."""
    log_params(rate=0.1)
    log_metric("auc", 0.8)
    log_metric("auc", 0.7, segment="shop=1")
    log_metric("loss", 0.5, step=1)
    log_figure("ROC curve", PNG)
    return {"depth": config.depth}


def current(catalog: Catalog, asset: dg.AssetsDefinition) -> Version:
    return catalog.resolve(TESS, asset.key.to_user_string())[""].version


def test_what_was_logged_is_kept_and_told_in_the_ui(catalog: Catalog) -> None:
    result = run(rows, forest)
    version = current(catalog, forest)
    assert version.metrics == {"auc": 0.8, "auc[shop=1]": 0.7, "loss": 0.5}
    assert version.provenance.parameters == {"depth": 4, "rate": 0.1}
    assert version.metadata["headrace/series"] == {"loss": [[1, 0.5]]}
    assert client.figures("forest") == {"ROC curve": PNG}
    told = metadata(result, forest)
    assert told["ROC curve"] == as_markdown("ROC curve", PNG)
    assert told["auc"] == 0.8


def test_what_was_logged_is_no_part_of_the_value(catalog: Catalog, store: LocalStore) -> None:
    run(rows, forest)
    version = current(catalog, forest)
    assert read_versions(store, [version]) == {"depth": 4}
    assert len(version.files) == 1


def test_what_is_returned_is_kept_in_the_same_way(catalog: Catalog) -> None:
    @model(key_prefix="t")
    def returned() -> dg.MaterializeResult[Any]:
        told: dict[str, Any] = {
            "auc": 0.9,
            "curve": dg.MetadataValue.md(as_markdown("curve", SVG)),
            "text": dg.MetadataValue.md("# a"),
        }
        return dg.MaterializeResult(value=[1], metadata=told)

    assert run(returned).success
    assert current(catalog, returned).metrics == {"auc": 0.9}
    assert client.figures("returned") == {"curve": SVG}


def test_a_function_that_yields_its_value_may_log_too(catalog: Catalog) -> None:
    @model(key_prefix="t")
    def yielded():
        log_metric("auc", 0.6)
        yield dg.Output([1])

    assert run(yielded).success
    assert current(catalog, yielded).metrics == {"auc": 0.6}


def test_a_frame_of_a_guarded_feature_keeps_its_metrics_in_every_partition(catalog: Catalog) -> None:
    @feature(
        key_prefix="t",
        partitions_def=dg.StaticPartitionsDefinition(["a", "b"]),
        partition_by="key",
        checks=[Says(True)],
    )
    def parts() -> pl.LazyFrame:
        log_metric("share", 0.5)
        return pl.LazyFrame({"key": ["a", "b"]})

    assert run(parts, of="a..b").success
    assert [item.version.metrics for item in catalog.resolve(TESS, "t/parts").values()] == [{"share": 0.5}] * 2


def test_a_metric_that_is_no_number_fails_the_step_with_a_sentence() -> None:
    @model(key_prefix="t")
    def wrong() -> list[int]:
        log_metric("auc", None)  # type: ignore[arg-type]
        return [1]

    assert "The metric auc is None, which is no number" in sentence(run(wrong))


def test_a_number_that_is_none_can_be_kept_and_searched_by_in_every_database(catalog: Catalog) -> None:
    @model(key_prefix="t")
    def diverged() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(value=[1], metadata={"loss": float("nan")})

    assert run(diverged).success
    assert current(catalog, diverged).told["loss"] == "nan"


def test_figures_go_where_the_version_goes_and_are_looked_after(catalog: Catalog, store: LocalStore) -> None:
    run(rows, forest)
    (adopted,) = catalog.commit(PRODUCTION, [adopt_version(store, current(catalog, forest), PRODUCTION)])
    told = _materialization(store, TESS, replace(adopted, metadata={**adopted.metadata, PROMOTED_FROM: "before"}), {})
    assert (told.metadata["auc"].value, told.metadata["ROC curve"].value) == (0.8, as_markdown("ROC curve", PNG))
    (file,) = adopted.figures
    assert file.key.startswith("production/")
    path = Path(store.path(file.key))
    assert path.read_bytes() == PNG
    path.unlink()
    path.write_bytes(PNG + b"x")
    assert [adopted.label in problem for problem in check_files(catalog, store).problems] == [True]
    with pytest.raises(CorruptVersionError):
        store.prove(replace(adopted, files=adopted.all_files))


def test_the_card_of_a_model_is_written_by_itself(catalog: Catalog) -> None:
    result = run(rows, forest)
    card = client.card("forest")
    assert card.startswith(f"# {current(catalog, forest).label}")
    for line in (
        "How much will be sold.",
        "| owner | team:shop |",
        f"| t/rows |  | `{current(catalog, rows).id}` | user/tess | 3 | 1 |",
        "| depth | 4 |",
        "| auc | 0.8 |",
        "| all | 0.8 |",
        "| shop=1 | 0.7 |",
        "- Not for the weeks around Christmas.",
    ):
        assert line in card
    assert "| shop=1 | 0.7 |" in metadata(result, forest)["headrace/card"]


def test_the_card_tells_which_checks_passed_and_in_the_ui_what_the_version_follows(catalog: Catalog) -> None:
    @model(key_prefix="t", checks=[Says(True), Says(False, blocking=False, name="warns")])
    def checked() -> list[int]:
        log_metric("auc", 0.5)
        return [1]

    run(checked)
    first = current(catalog, checked)
    told = metadata(run(checked), checked)["headrace/compared"]
    assert f"`{first.id}`" in told
    assert "| auc | 0.5 | 0.5 |" in told
    card = client.card("checked")
    assert "| says | passed |  |  |" in card
    assert "| warns | did not pass | warn | it is not right |" in card
