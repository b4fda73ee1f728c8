"""Stored versions are judged as they would be if they were computed now, and nothing is written."""

from typing import Any

import dagster as dg
import pandera.polars as pa
import polars as pl

from platform_core import Compute, fact, feature
from platform_core.auditing.stored import results_of_version
from platform_core.catalog.catalog import Catalog
from platform_core.checks.audits.volume import volume
from tests.platform_core.auditing.test_guard import Says
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run


def asset(size: int, lowest: int = 0, **arguments: Any) -> dg.AssetsDefinition:
    class Rows(pa.DataFrameModel):
        a: int = pa.Field(ge=lowest)

    @fact(key_prefix="t", schema=Rows, **arguments)
    def some() -> pl.DataFrame:
        return pl.DataFrame({"a": range(size)})

    return some


def outcome(found: list[dg.AssetCheckResult]) -> dict[str | None, bool]:
    return {item.check_name: item.passed for item in found}


def test_a_new_rule_is_tried_on_what_is_stored(catalog: Catalog) -> None:
    run(asset(3))
    version = catalog.resolve(TESS, "t/some")[""].version
    assert outcome(results_of_version(asset(3, lowest=0), [], version)) == {
        "schema": True,
        "a__greater_than_or_equal_to": True,
    }
    stricter = outcome(results_of_version(asset(3, lowest=1, quarantine=True), [], version))
    assert stricter == {"schema": True, "a__greater_than_or_equal_to": False}
    assert [item.version.id for item in catalog.current(TESS)] == [version.id]


def test_the_history_of_a_version_ends_with_it(catalog: Catalog) -> None:
    for size in (100, 101, 99, 100, 102, 5000):
        run(asset(size))
    found = {
        item.version.rows: outcome(results_of_version(asset(1, checks=[volume()]), [], item.version))["volume"]
        for item in catalog.history(TESS, "t/some")
    }
    assert found == {100: True, 101: True, 99: True, 102: True, 5000: False}


def test_audits_get_the_inputs_that_the_version_was_computed_from(catalog: Catalog) -> None:
    audit = Says(True)

    @feature(key_prefix="t", checks=[audit])
    def after(some: pl.LazyFrame) -> pl.LazyFrame:
        return some

    run(asset(3), after)
    version = catalog.resolve(TESS, "t/after")[""].version
    run(asset(7))
    results_of_version(after, [], version)
    assert [subject.table("some").height for subject in audit.seen] == [3, 3]


def test_audits_get_the_teams_own_function_whatever_is_around_it(catalog: Catalog) -> None:
    audit = Says(True)

    def some() -> pl.DataFrame:
        return pl.DataFrame({"a": [1]})

    declared = fact(key_prefix="t", checks=[audit], compute=Compute(on_failure="skip"))(some)
    run(declared)
    results_of_version(declared, [], catalog.resolve(TESS, "t/some")[""].version)
    assert [subject.function for subject in audit.seen] == [some, some]


def test_checks_that_are_steps_of_their_own_are_called_too(catalog: Catalog) -> None:
    some = asset(3)

    @dg.asset_check(asset=some)
    def is_short(some: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=some.height < 2)

    @dg.asset_check(asset=some)
    def with_context(context: dg.AssetCheckExecutionContext, some: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    run(some)
    version = catalog.resolve(TESS, "t/some")[""].version
    found = {item.check_name: item for item in results_of_version(some, [is_short, with_context], version)}
    assert not found["is_short"].passed
    assert "takes more than the asset's value" in str(found["with_context"].description)
