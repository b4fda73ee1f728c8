"""Loads that are empty, doubled or lighter than usual, by partition and by history."""

import dagster as dg
import polars as pl
import pytest

from platform_core import fact
from platform_core.catalog.catalog import Catalog
from platform_core.checks.audits.volume import day_of, volume
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run, sentence

MONTHS = dg.MonthlyPartitionsDefinition("2025-01", fmt="%Y-%m", end_date="2026-07")


def monthly(counts: dict[str, int], *, blocking: bool = True) -> dg.AssetsDefinition:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month", checks=[volume(blocking=blocking)])
    def loads(context: dg.AssetExecutionContext) -> pl.DataFrame:
        keys = [key for key in context.partition_keys for _ in range(counts.get(key, 1000))]
        return pl.DataFrame({"month": keys, "a": range(len(keys))})

    return loads


def test_a_doubled_month_is_caught_against_the_months_before(catalog: Catalog) -> None:
    assert run(monthly({}), of="2025-01..2025-12").success
    told = sentence(run(monthly({"2026-01": 2000}), of="2026-01"))
    assert "2,000 rows in 2026-01, where 1,000 are usual" in told
    assert "2026-01" not in catalog.resolve(TESS, "t/loads")


def test_an_odd_month_is_caught_among_those_of_the_same_run() -> None:
    assert "300 rows in 2025-05" in sentence(run(monthly({"2025-05": 300}), of="2025-01..2025-12"))


def test_rows_of_a_month_that_nobody_asked_for_are_for_the_write_to_refuse() -> None:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month", checks=[volume()])
    def loads() -> pl.DataFrame:
        return pl.DataFrame({"month": ["2025-02"]})

    assert "its column month also holds 2025-02" in sentence(run(loads, of="2025-01"))


def test_an_honest_month_passes_with_a_picture() -> None:
    assert run(monthly({}), of="2025-01..2025-12").success
    result = run(monthly({"2026-01": 1050}), of="2026-01")
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.passed
    assert "data:image/svg+xml" in str(evaluation.metadata["rows_against_history"].value)


def plain(rows: int, text: str = "0123456789" * 3) -> dg.AssetsDefinition:
    @fact(key_prefix="t", checks=[volume()])
    def loads() -> pl.DataFrame:
        return pl.DataFrame({"a": [text] * rows})

    return loads


def test_an_asset_without_partitions_has_its_own_history() -> None:
    for rows in (1000, 1010, 990, 1000, 1005):
        assert run(plain(rows)).success
    assert "2,000 rows, where 1,000 are usual" in sentence(run(plain(2000)))
    assert "there are no rows" in sentence(run(plain(0)))


def test_as_many_rows_with_far_fewer_bytes_are_caught() -> None:
    for rows in (1000, 1010, 990, 1000, 1005):
        assert run(plain(rows)).success
    assert "bytes, where" in sentence(run(plain(1000, text="")))


def test_while_there_is_little_history_only_an_empty_load_is_told() -> None:
    first = run(plain(10))
    assert first.success
    assert "Fewer than 4 earlier counts" in str(first.get_asset_check_evaluations()[0].description)
    assert run(plain(1000)).success
    assert not run(plain(0)).success


@pytest.mark.parametrize(
    ("key", "day"), [("2026-03-01", (2026, 3, 1)), ("2026-03", None), ("", None), ("north-america", None)]
)
def test_only_a_key_that_is_a_day_has_a_weekday(key: str, day: tuple[int, int, int] | None) -> None:
    found = day_of(key)
    assert (found and (found.year, found.month, found.day)) == day
