"""An asset is tried on what the namespace shows, and nothing is written."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandera.polars as pa
import polars as pl
import pytest

from platform_core import fact, feature, log_figure, log_metric, log_params, model
from platform_core.catalog.catalog import Catalog
from platform_core.errors import HeadraceError, NotFoundError, PartitionError
from platform_core.runner.trying import Wish, try_asset
from platform_core.settings import current_settings
from tests.platform_core.auditing.test_guard import Says
from tests.platform_core.drafts import TESS
from tests.platform_core.runner.locations import MONTHS, located
from tests.platform_core.runs import run
from tests.platform_core.tracking.pictures import PNG


class Trees(dg.Config):
    depth: int = 4
    kind: str = "oak"


@fact(key_prefix="t")
def rows() -> pl.DataFrame:
    return pl.DataFrame({"x": [1.0, 2.0, 3.0]})


@feature(key_prefix="t", checks=[Says(True), Says(False, blocking=False, name="warns")])
def doubled(rows: pl.DataFrame) -> pl.LazyFrame:
    return rows.lazy().select(pl.col("x") * 2)


@model(key_prefix="t")
def forest(rows: pl.DataFrame, config: Trees) -> dict[str, Any]:
    log_params(rate=0.1)
    for step in range(3):
        log_metric("loss", 1 / (1 + step), step=step)
    log_figure("roc", PNG)
    return {"depth": config.depth, "rows": rows.height}


@model(key_prefix="t")
def broken(rows: pl.DataFrame) -> int:
    return 1 // 0


WORLD = located(rows, doubled, forest, broken)


def tried(asset: str, **wish: Any) -> dict[str, Any]:
    return try_asset(WORLD, Wish(asset, **wish))


def test_a_table_is_shown_with_its_columns_checks_inputs_and_cost(catalog: Catalog) -> None:
    run(rows)
    told = tried("doubled")
    assert told["value"]["rows"] == 3
    assert "6.0" in told["value"]["head"]
    (column,) = told["value"]["columns"]
    assert (column["name"], column["mean"], column["max"]) == ("x", 4.0, 6.0)
    assert [(check["check"], check["passed"]) for check in told["checks"]] == [("says", True), ("warns", False)]
    assert [item["name"] for item in told["parts"]] == ["read rows", "function", "checks", "result"]
    assert told["inputs"][0]["version"] == catalog.resolve(TESS, "t/rows")[""].version.label


def test_nothing_is_written(catalog: Catalog) -> None:
    run(rows)
    before = [item.number for item in catalog.transactions(TESS)]
    store = sorted(Path(current_settings().store).rglob("*"))
    tried("doubled")
    tried("forest")
    assert [item.number for item in catalog.transactions(TESS)] == before
    assert sorted(Path(current_settings().store).rglob("*")) == store


def test_rows_that_would_be_set_aside_are_not_written_either(catalog: Catalog) -> None:
    class Positive(pa.DataFrameModel):
        x: float = pa.Field(gt=1)

    @feature(key_prefix="t", schema=Positive, quarantine=True)
    def kept(rows: pl.DataFrame) -> pl.DataFrame:
        return rows

    run(rows)
    told = try_asset(located(rows, kept), Wish("kept"))
    assert told["value"]["rows"] == 2
    assert catalog.assets() == ["t/rows"]


def test_what_was_logged_is_shown(catalog: Catalog) -> None:
    run(rows)
    told = tried("forest", parameters={"depth": "8"})
    assert told["parameters"] == {"depth": 8, "kind": "oak", "rate": 0.1}
    assert told["metrics"] == {"loss": 1 / 3}
    assert told["series"]["loss"][0] == [0, 1.0]
    assert Path(told["figures"]["roc"]).read_bytes() == PNG
    assert told["value"]["text"] == "{'depth': 8, 'rows': 3}"


@pytest.mark.parametrize(
    ("asset", "wish", "sentence"),
    [
        (
            "forest",
            {"parameters": {"dept": "8"}},
            "t/forest has no parameter 'dept'. Did you mean depth. It has: depth, kind",
        ),
        (
            "forest",
            {"parameters": {"depth": "deep"}},
            "A parameter of t/forest cannot be used: depth=deep: Input should be",
        ),
        (
            "doubled",
            {"parameters": {"depth": "8"}},
            "t/doubled has no parameter 'depth'. Give its function a parameter",
        ),
        ("doubled", {"inputs": {"row": "rows"}}, "t/doubled has no input 'row'. Did you mean rows"),
        ("doubled", {"inputs": {"rows": "rows@nothing"}}, "no alias 'nothing'"),
        ("double", {}, "Location t has no asset 'double'. Did you mean .*doubled"),
    ],
)
def test_what_cannot_be_tried_is_a_sentence(asset: str, wish: dict[str, Any], sentence: str) -> None:
    run(rows)
    with pytest.raises(NotFoundError, match=sentence.replace("(", r"\(")):
        tried(asset, **wish)


def test_what_a_function_raises_and_what_is_missing_is_told(catalog: Catalog) -> None:
    assert "t/rows has no version in user/tess yet" in tried("doubled")["sentence"]
    run(rows)
    told = tried("broken")
    assert "ZeroDivisionError: integer division or modulo by zero" in told["sentence"]
    assert told["value"] is None


def test_another_version_can_be_read(catalog: Catalog) -> None:
    run(rows)
    first = catalog.resolve(TESS, "t/rows")[""].version

    @fact(key_prefix="t", name="rows")
    def more() -> pl.DataFrame:
        return pl.DataFrame({"x": [1.0] * 9})

    run(more)
    assert tried("doubled")["value"]["rows"] == 9
    assert tried("doubled", inputs={"rows": f"rows@{first.id}"})["value"]["rows"] == 3


def test_what_is_kept_is_a_version_and_not_the_current_one(catalog: Catalog) -> None:
    run(rows)
    (label,) = tried("forest", keep=True, parameters={"depth": "2"})["kept"]
    version = catalog.version(label.partition("@")[2])
    assert version.provenance.parameters["depth"] == 2
    assert catalog.resolve(TESS, "t/forest") == {}
    assert [item.id for item in catalog.unpublished(TESS, "t/forest")] == [version.id]


def test_what_a_blocking_check_refuses_is_told_and_not_kept(catalog: Catalog) -> None:
    @feature(key_prefix="t", checks=[Says(False)])
    def refused(rows: pl.DataFrame) -> pl.DataFrame:
        return rows

    run(rows)
    told = try_asset(located(rows, refused), Wish("refused", keep=True))
    assert "t/refused was not published: it is not right" in told["rejected"]
    assert told["kept"] == []


def test_inputs_stay_in_memory_where_they_cannot_be_changed(catalog: Catalog) -> None:
    run(rows)
    cache: dict[Any, Any] = {}
    try_asset(WORLD, Wish("doubled"), cache)
    (kept,) = cache.values()
    try_asset(WORLD, Wish("doubled"), cache)
    assert next(iter(cache.values())) is kept


def test_partitions_are_those_that_were_asked_for_or_the_last_that_there_is(catalog: Catalog) -> None:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def monthly(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"month": list(context.partition_keys)})

    @feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def after(monthly: pl.DataFrame) -> pl.DataFrame:
        return monthly

    world = located(monthly, after)
    assert run(monthly, of="jan..mar").success
    assert try_asset(world, Wish("after", partition="jan..feb"))["value"]["rows"] == 2
    assert try_asset(world, Wish("monthly"))["partitions"] == ["mar"]
    with pytest.raises(PartitionError, match="june"):
        try_asset(world, Wish("after", partition="june"))
    with pytest.raises(HeadraceError, match="has no partitions; leave out jan"):
        tried("doubled", partition="jan")
