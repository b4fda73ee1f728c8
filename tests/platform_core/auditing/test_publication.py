"""A team's blocking checks are passed before anything is published, or the location does not load."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from platform_core import Compute, fact, feature, model
from platform_core.auditing.publication import HOLDS_BACK, audited, require_audited
from platform_core.auditing.stored import results_of_version
from platform_core.catalog.catalog import Catalog
from platform_core.errors import DefinitionError
from platform_core.io_manager import HeadraceIOManager
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run, sentence

MONTHS = dg.StaticPartitionsDefinition(["jan", "feb", "mar"])
PASSED = dg.AssetCheckResult(passed=True)


class Limit(dg.ConfigurableResource[Any]):
    most: int


def table(rows: int, **declared: Any) -> dg.AssetsDefinition:
    @fact(key_prefix="t", **declared)
    def some() -> pl.DataFrame:
        return pl.DataFrame({"a": range(rows)})

    return some


@feature(key_prefix="t")
def after(some: pl.DataFrame) -> pl.DataFrame:
    return some


@dg.asset_check(asset=["t", "some"], blocking=True, description="Not too long.", metadata={"asked": "by Tess"})
def is_short(some: pl.LazyFrame) -> dg.AssetCheckResult:
    rows = some.collect().height
    return dg.AssetCheckResult(passed=rows < 3, description=f"{rows} rows are too many", metadata={"rows": rows})


def checked(asset: dg.AssetsDefinition, *checks: Any, **resources: Any) -> dg.AssetsDefinition:
    (again,), left = audited([asset], checks, resources)
    assert left == []
    return again  # type: ignore[no-any-return]


def refusal(*assets: Any, check: Any, **resources: Any) -> str:
    with pytest.raises(DefinitionError) as error:
        audited(assets, [check], resources)
    return str(error.value)


def test_what_fails_a_check_of_a_team_is_kept_rejected_and_never_current(catalog: Catalog) -> None:
    assert run(checked(table(1), is_short), after).success
    before = catalog.current(TESS)

    result = run(checked(table(5), is_short), after)
    assert sentence(result).startswith("t/some was not published: 5 rows are too many. What was computed is kept")
    assert [event.asset_key for event in result.get_asset_materialization_events()] == []  # after was not computed
    assert catalog.current(TESS) == before
    (kept,) = catalog.unpublished(TESS, "t/some")
    assert (kept.rows, kept.rejected) == (5, "t/some was not published: 5 rows are too many")


def test_the_ui_shows_the_very_check() -> None:
    some = checked(table(5), is_short)
    (spec,) = some.check_specs
    assert (spec.key, spec.blocking, spec.description, spec.metadata) == (
        dg.AssetCheckKey(some.key, "is_short"),
        True,
        "Not too long.",
        {"asked": "by Tess"},
    )
    (told,) = run(some).get_asset_check_evaluations()
    assert (told.check_name, told.passed, told.severity, told.metadata["rows"].value) == (
        "is_short",
        False,
        dg.AssetCheckSeverity.ERROR,
        5,
    )


def test_nobody_can_run_the_asset_without_its_check(catalog: Catalog) -> None:
    some = checked(table(5), is_short)
    definitions = dg.Definitions(assets=[some], resources={"io_manager": HeadraceIOManager()})
    every = definitions.resolve_implicit_global_asset_job_def()
    with pytest.raises(dg.DagsterInvalidSubsetError, match="but attempted to select only"):
        every.get_subset(asset_selection={some.key}, asset_check_selection=set())
    result = every.get_subset(asset_selection={some.key}).execute_in_process(raise_on_error=False)
    assert sentence(result).startswith("t/some was not published: 5 rows are too many")
    assert catalog.current(TESS) == []


def test_a_check_that_only_warns_of_what_it_found_does_not_block(catalog: Catalog) -> None:
    @dg.asset_check(asset=["t", "some"], blocking=True)
    def warns(some: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)

    assert run(checked(table(1), warns)).success
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 1


def test_a_check_that_fails_itself_or_answers_nothing_has_not_passed(catalog: Catalog) -> None:
    @dg.asset_check(asset=["t", "some"], blocking=True)
    def breaks(some: pl.DataFrame) -> dg.AssetCheckResult:
        raise ZeroDivisionError("division by zero")

    @dg.asset_check(asset=["t", "some"], blocking=True)
    def forgets(some: pl.DataFrame) -> dg.AssetCheckResult:
        return None  # type: ignore[return-value]

    told = sentence(run(checked(table(1), breaks, forgets)))
    assert "breaks of t/some could not be judged: ZeroDivisionError: division by zero" in told
    assert "forgets of t/some returned None instead of a dg.AssetCheckResult" in told
    assert catalog.current(TESS) == []


def test_a_check_stands_beside_those_of_the_declaration(catalog: Catalog) -> None:
    some = checked(table(5, schema=pa.schema([("a", pa.int64())]), compute=Compute(on_failure="skip")), is_short)
    assert {spec.name for spec in some.check_specs} == {"schema", "is_short", "computed"}
    assert {spec.owners[0] for spec in some.specs if spec.owners} == set()
    assert not run(some).success
    assert catalog.current(TESS) == []


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.Table, pa.RecordBatchReader])
@pytest.mark.parametrize("made", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.Table, pa.RecordBatchReader])
def test_a_check_takes_the_value_in_the_type_it_likes(kind: Any, made: Any, catalog: Catalog) -> None:
    seen: list[Any] = []

    def look(some: Any) -> dg.AssetCheckResult:
        seen.append(some)
        return PASSED

    def some() -> Any:
        frame = pl.DataFrame({"a": [1, 2]})
        if made is pd.DataFrame:
            return frame.to_pandas()
        if made is pa.RecordBatchReader:
            return frame.to_arrow().to_reader()
        return {pl.DataFrame: frame, pl.LazyFrame: frame.lazy(), pa.Table: frame.to_arrow()}[made]

    look.__annotations__["some"] = kind
    check = dg.asset_check(asset=["t", "some"], blocking=True)(look)
    assert run(checked(fact(key_prefix="t")(some), check)).success
    assert [type(value) for value in seen] == [kind]
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 2


def test_a_check_in_pandas_has_the_index_and_changes_nothing_of_what_is_published(catalog: Catalog) -> None:
    @fact(key_prefix="t")
    def some() -> pd.DataFrame:
        return pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))

    @dg.asset_check(asset=some, blocking=True)
    def careless(some: pd.DataFrame) -> dg.AssetCheckResult:
        passed = list(some.index) == ["x", "y"]
        some["a"] = 0
        return dg.AssetCheckResult(passed=passed)

    assert run(checked(some, careless)).success
    seen: list[int] = []

    @feature(key_prefix="t")
    def after(some: pl.DataFrame) -> None:
        seen.extend(some["a"])

    run(some, after, only=after)
    assert seen == [1, 2]


def test_a_table_cannot_be_taken_as_something_else() -> None:
    @dg.asset_check(asset=["t", "some"], blocking=True)
    def odd(some: int) -> dg.AssetCheckResult:
        return PASSED

    assert "a table cannot be given as int; annotate it with a table type" in sentence(run(checked(table(1), odd)))


def test_a_check_of_a_model_takes_the_object() -> None:
    @model(key_prefix="t")
    def some() -> dict[str, float]:
        return {"slope": 0.5}

    @dg.asset_check(asset=some, blocking=True)
    def slopes(some: dict[str, float]) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=some["slope"] > 1, description="it is flat")

    assert sentence(run(checked(some, slopes))).startswith("t/some was not published: it is flat")


# Other inputs, resources, contexts


def longer() -> tuple[dg.AssetsDefinition, dg.AssetChecksDefinition]:
    """A feature that loses rows, with a check that compares it with what it reads."""

    @feature(key_prefix="t")
    def halved(some: pl.LazyFrame) -> pl.LazyFrame:
        return some.head(1)

    @dg.asset_check(asset=halved, blocking=True, additional_ins={"all_of_it": dg.AssetIn(["t", "some"])})
    def loses_nothing(halved: pl.DataFrame, all_of_it: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=halved.height == all_of_it.height, description="rows were lost")

    return halved, loses_nothing


def test_a_check_may_compare_with_what_the_asset_reads(catalog: Catalog) -> None:
    halved, loses_nothing = longer()
    result = run(table(4), checked(halved, loses_nothing))
    assert sentence(result).startswith("t/halved was not published: rows were lost")
    assert [item.version.asset for item in catalog.current(TESS)] == ["t/some"]
    assert run(table(1), checked(halved, loses_nothing)).success


def test_a_stored_version_is_compared_with_what_it_was_computed_from(catalog: Catalog) -> None:
    halved, loses_nothing = longer()
    again = checked(halved, loses_nothing)
    run(table(4), again)
    (version,) = catalog.unpublished(TESS, "t/halved")
    run(table(1))
    (result,) = results_of_version(again, [], version)
    assert (result.check_name, result.passed) == ("loses_nothing", False)


def test_what_an_asset_only_waits_for_may_be_waited_for() -> None:
    @dg.asset_check(asset=["t", "last"], blocking=True, additional_deps=[["t", "some"]])
    def fine(last: int) -> dg.AssetCheckResult:
        return PASSED

    @fact(key_prefix="t", deps=[dg.AssetKey(["t", "some"])])
    def last() -> int:
        return 1

    (_, again), _ = audited([table(1), last], [fine], {})
    assert [spec.name for spec in again.check_specs] == ["fine"]


def test_a_check_gets_its_context_and_resources_of_the_location(catalog: Catalog) -> None:
    seen: list[Any] = []

    @dg.asset_check(asset=["t", "some"], blocking=True)
    def limited(context: dg.AssetCheckExecutionContext, some: pl.DataFrame, limit: Limit) -> dg.AssetCheckResult:
        context.log.info("looked")
        seen.append(context)
        return dg.AssetCheckResult(passed=some.height <= limit.most, description=f"more than {limit.most}")

    some = checked(table(4), limited, limit=Limit(most=3))
    result = run(some)
    assert sentence(result).startswith("t/some was not published: more than 3")
    assert seen[0].run.run_id == result.run_id
    (version,) = catalog.unpublished(TESS, "t/some")
    assert [item.passed for item in results_of_version(some, [], version)] == [False]


# Partitions


def monthly(fails: str) -> dg.AssetsDefinition:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def some(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"month": context.partition_keys})

    @dg.asset_check(asset=some, blocking=True)
    def no_such_month(some: pl.DataFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=fails not in some["month"].to_list(), description=f"{fails} is wrong")

    return checked(some, no_such_month)


def test_the_partitions_of_a_run_are_published_or_refused_together(catalog: Catalog) -> None:
    some = monthly("feb")
    assert not run(some, of="jan..mar").success
    assert catalog.current(TESS) == []
    assert {kept.partition for kept in catalog.unpublished(TESS, "t/some")} == {"jan", "feb", "mar"}
    assert run(some, of="jan").success
    assert set(catalog.resolve(TESS, "t/some")) == {"jan"}


def test_a_check_knows_the_partition_in_a_run_and_of_what_is_stored(catalog: Catalog) -> None:
    seen: list[str] = []

    @fact(key_prefix="t", partitions_def=MONTHS)
    def some() -> int:
        return 1

    @dg.asset_check(asset=some, blocking=True)
    def not_february(context: dg.AssetCheckExecutionContext, some: int) -> dg.AssetCheckResult:
        context.log.info("looked")
        seen.append(context.partition_key)
        return dg.AssetCheckResult(passed=context.partition_key != "feb")

    again = checked(some, not_february)
    assert run(again, of="jan").success
    assert not run(again, of="feb").success
    assert set(catalog.resolve(TESS, "t/some")) == {"jan"}
    (version,) = catalog.unpublished(TESS, "t/some")
    assert [item.passed for item in results_of_version(again, [], version)] == [False]
    assert seen == ["jan", "feb", "feb"]


# What is left, and what is refused


def test_a_check_that_does_not_block_stays_a_step_of_its_own() -> None:
    @dg.asset_check(asset=["t", "some"])
    def warns(some: pl.DataFrame) -> dg.AssetCheckResult:
        return PASSED

    some = table(1)
    assert audited([some], [warns], {}) == ([some], [warns])


def test_assets_without_such_checks_and_mere_specs_stay_as_they_are() -> None:
    assets = [table(1), after, dg.AssetSpec(["t", "elsewhere"])]
    assert audited(assets, [], {}) == (assets, [])


def of_some(**given: Any) -> Any:
    return dg.asset_check(asset=["t", "some"], blocking=True, **given)


def takes_value(some: pl.DataFrame) -> dg.AssetCheckResult:
    return PASSED


def test_a_check_of_an_asset_of_another_location_is_refused() -> None:
    told = refusal(after, check=of_some()(takes_value))
    assert told == (
        "The blocking check takes_value of t/some cannot be made before t/some is published: this location does not"
        " compute it; or say blocking=False, and it warns after the publication."
    )


def test_a_check_of_an_asset_of_plain_dagster_is_refused() -> None:
    @dg.asset(key=["t", "some"])
    def plain() -> int:
        return 1

    told = refusal(plain, check=of_some()(takes_value))
    assert "is published: declare the asset with @fact, @feature, @model or @prediction" in told


def test_a_check_of_what_holds_back_by_itself_is_refused_with_what_to_write() -> None:
    @dg.asset(key=["t", "some"])
    def itself() -> int:
        return 1

    itself.node_def.compute_fn.decorated_fn.__dict__[HOLDS_BACK] = "write a test"  # type: ignore[attr-defined]
    assert "is published: write a test;" in refusal(itself, check=of_some()(takes_value))


def test_a_blocking_check_that_could_not_hold_back_its_own_asset_is_refused() -> None:
    @dg.asset(key=["t", "some"], check_specs=[dg.AssetCheckSpec("mine", asset=["t", "some"], blocking=True)])
    def plain() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=1, check_results=[dg.AssetCheckResult(check_name="mine", passed=False)])

    with pytest.raises(DefinitionError, match="t/some has the blocking check mine, but would be published whatever"):
        audited([plain], [], {})


def test_a_check_of_a_function_that_yields_is_refused() -> None:
    @fact(key_prefix="t")
    def some() -> Iterator[dg.Output[int]]:
        yield dg.Output(1)

    assert "as a function that returns its value" in refusal(some, check=of_some()(takes_value))


def without_value() -> dg.AssetCheckResult:
    return PASSED


def with_context(context: dg.AssetCheckExecutionContext, some: pl.DataFrame) -> dg.AssetCheckResult:
    return PASSED


class Config(dg.Config):
    most: int = 3


def with_config(some: pl.DataFrame, config: Config) -> dg.AssetCheckResult:
    return PASSED


def with_limit(some: pl.DataFrame, limit: Limit) -> dg.AssetCheckResult:
    return PASSED


def yields(some: pl.DataFrame) -> Iterator[dg.AssetCheckResult]:
    yield PASSED


def reads_more(some: pl.DataFrame, more: pl.DataFrame) -> dg.AssetCheckResult:
    return PASSED


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (of_some()(without_value), "it does not take the value; let a parameter name the asset"),
        (of_some()(yields), "it yields or awaits; return its dg.AssetCheckResult"),
        (of_some()(with_config), "it has a config of its own; say that of the asset"),
        (of_some(config_schema={"most": int})(with_context), "it has a config of its own"),
        (of_some(config_schema={"most": dg.Field(int, is_required=False)})(with_context), "it has a config of its own"),
        (of_some(retry_policy=dg.RetryPolicy())(takes_value), "it has a retry policy of its own"),
        (of_some(pool="few")(takes_value), "it has a pool of its own"),
        (of_some(op_tags={"headrace/compute": "{}"})(takes_value), "it has a compute of its own"),
        (of_some(required_resource_keys={"limit"})(with_context), "it takes limit from its context"),
        (of_some(resource_defs={"limit": Limit(most=1)})(with_limit), "it has resources of its own"),
        (of_some()(with_limit), "the location has no resource limit"),
        (
            of_some(additional_ins={"more": dg.AssetIn(["t", "more"])})(reads_more),
            "it reads t/more, which the asset does not; make that a parameter of the asset too",
        ),
        (of_some(additional_deps=[["t", "more"]])(takes_value), "it reads t/more, which the asset does not"),
    ],
)
def test_a_check_that_cannot_be_made_in_the_step_is_refused(check: Any, told: str) -> None:
    assert f"cannot be made before t/some is published: {told}" in refusal(table(1), check=check)


def test_what_the_asset_reads_as_a_stream_cannot_be_read_again() -> None:
    @feature(key_prefix="t")
    def some(more: pa.RecordBatchReader) -> pa.Table:
        return more.read_all()

    check = of_some(additional_ins={"more": dg.AssetIn(["t", "more"])})(reads_more)
    assert "t/more is a stream to the asset, and can be read once only; take a pl.LazyFrame" in refusal(
        some, check=check
    )


def test_checks_that_are_made_together_are_refused() -> None:
    specs = [dg.AssetCheckSpec(name, asset=["t", "some"], blocking=True) for name in ("one", "two")]

    @dg.multi_asset_check(specs=specs)
    def both() -> Iterator[dg.AssetCheckResult]:
        yield PASSED

    assert "write each as a @dg.asset_check of its own" in refusal(table(1), check=both)


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(DefinitionError, match="t/some has more than one check is_short"):
        audited([table(1)], [is_short, is_short], {})


def test_a_blocking_check_that_was_added_afterwards_is_refused() -> None:
    require_audited(dg.Definitions(assets=[checked(table(1), is_short)]))
    with pytest.raises(DefinitionError, match="The blocking check is_short of t/some would come after the publication"):
        require_audited(dg.Definitions(assets=[table(1)], asset_checks=[is_short]))
