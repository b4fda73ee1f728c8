"""The interval holds what it promises, and a model that is worse on one segment is found out."""

import numpy as np
import polars as pl
import pytest

from platform_core.checks.bootstrap import EVERYTHING, FEWEST_ROWS, compare_losses
from platform_core.errors import CheckError


def losses(rows: int, worse: float = 0.0, seed: int = 0, **columns) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    production = random.exponential(1, rows)
    noise = random.normal(0, 0.3, rows)
    return pl.DataFrame({"production": production, "challenger": production + noise + worse, **columns})


def test_a_worse_challenger_is_told_and_a_better_one_is_not() -> None:
    (worse,), (better,) = compare_losses(losses(2000, 0.05)), compare_losses(losses(2000, -0.05))
    assert worse.part == EVERYTHING
    assert worse.is_worse
    assert worse.low < 0.05 < worse.high
    assert not better.is_worse
    assert better.challenger < better.production


def test_two_that_are_equal_are_told_apart_at_most_as_often_as_promised() -> None:
    told = sum(compare_losses(losses(200, seed=seed))[0].is_worse for seed in range(80))
    assert told / 80 <= 0.08  # one side of a 95 % interval: 0.025


def test_the_same_model_is_never_worse_than_itself() -> None:
    same = losses(500).with_columns(challenger="production")
    assert not compare_losses(same)[0].is_worse


def test_a_model_that_is_worse_on_one_segment_is_told_by_that_segment() -> None:
    random = np.random.default_rng(5)
    origin = random.choice(["EWR", "JFK", "LGA"], 3000)
    frame = losses(3000, -0.05, origin=origin).with_columns(
        challenger=pl.col("challenger")
        + pl.when(pl.col("origin") == "LGA").then(0.2).otherwise(0.0)
        - pl.when(pl.col("origin") == "JFK").then(0.3).otherwise(0.0)
    )
    verdicts = {verdict.part: verdict for verdict in compare_losses(frame, ["origin"])}
    assert not verdicts[EVERYTHING].is_worse
    assert [part for part, verdict in verdicts.items() if verdict.is_worse] == ["origin LGA"]


def test_rows_that_depend_on_each_other_make_the_interval_wider() -> None:
    day = np.repeat(np.arange(30), 100)
    shared = np.random.default_rng(1).normal(0, 0.3, 30)[day]
    frame = losses(3000, day=day).with_columns(challenger=pl.col("challenger") + pl.Series(shared))
    (alone,), (together,) = compare_losses(frame), compare_losses(frame, cluster="day")
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_of_a_segment_with_few_rows_nothing_is_said() -> None:
    origin = ["rare"] * (FEWEST_ROWS - 1) + ["common"] * 100
    assert [v.part for v in compare_losses(losses(len(origin), origin=origin), ["origin"])] == [
        EVERYTHING,
        "origin common",
    ]


def test_rows_without_a_loss_are_left_out_and_nothing_is_said_of_none() -> None:
    assert compare_losses(losses(3).with_columns(challenger=pl.lit(None, pl.Float64))) == []


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(CheckError, match="The losses lack airport"):
        compare_losses(losses(100), ["airport"])
