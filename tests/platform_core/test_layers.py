"""The decorators complete what a team leaves out, leave alone what it says, and let no bad value become a version."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import dagster as dg
import pandas as pd
import pandera.pandas
import pandera.polars as pa
import polars as pl
import pyarrow
import pytest

from platform_core import fact, feature, model, prediction
from platform_core.automation import REBUILD_ON_CHANGE
from platform_core.catalog.catalog import Catalog
from platform_core.errors import DefinitionError
from platform_core.io_manager import PARTITION_BY
from platform_core.layers import LAYER_TAG, LAYERS, MAY_READ
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import metadata, run, sentence


class Rows(pa.DataFrameModel):
    a: int = pa.Field(ge=0, description="How many.")
    b: str = pa.Field(nullable=True)

    class Config:
        strict = True


GOOD = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
BAD = pl.DataFrame({"a": [1, -2], "b": ["x", None]})


def empty(base: pl.DataFrame) -> pl.DataFrame:
    """A function as a team writes it, in a module of a location."""
    return base


@fact(name="base")
def nothing_but_base() -> pl.DataFrame:
    return GOOD


def of_location(function: Callable[..., Any], module: str = "code_locations.flights.facts") -> Callable[..., Any]:
    function.__module__ = module
    return function


def spec(asset: dg.AssetsDefinition) -> dg.AssetSpec:
    (found,) = asset.specs
    return found


def reads(asset: dg.AssetsDefinition) -> dict[str, str]:
    return {name: key.to_user_string() for name, key in asset.keys_by_input_name.items()}


# What is completed


@pytest.mark.parametrize(("declare", "layer"), list(zip([fact, feature, model, prediction], LAYERS, strict=True)))
def test_a_layer_gives_group_tag_and_kind(declare: Any, layer: str) -> None:
    @declare(key_prefix="t")
    def some(): ...

    assert spec(some).group_name == f"{layer}s"
    assert spec(some).tags[LAYER_TAG] == layer
    assert spec(some).kinds == {layer}


def test_a_decorator_can_be_used_without_parentheses() -> None:
    @fact
    def some() -> pl.DataFrame:
        return GOOD

    assert isinstance(some, dg.AssetsDefinition)


@pytest.mark.parametrize("declare", [feature, model, prediction])
def test_what_is_computed_is_rebuilt_when_what_it_reads_has_changed(declare: Any) -> None:
    assert spec(declare(empty)).automation_condition == REBUILD_ON_CHANGE
    assert spec(declare(automation_condition=None)(empty)).automation_condition is None


def test_a_fact_is_brought_by_sensors_and_schedules_alone() -> None:
    assert spec(fact(empty)).automation_condition is None


def test_the_docstring_describes_the_asset() -> None:
    @fact
    def some() -> pl.DataFrame:
        """What happened."""
        return GOOD

    assert spec(some).description == "What happened."


def test_a_key_begins_with_the_location_that_the_function_lies_in() -> None:
    def weather(base: pl.DataFrame) -> pl.DataFrame:
        return base

    asset = fact(code_version="1")(of_location(weather))
    assert asset.key == dg.AssetKey(["flights", "weather"])
    assert reads(asset) == {"base": "flights/base"}


def test_the_module_may_lie_deep_in_the_location() -> None:
    def weather() -> None: ...

    assert fact(code_version="1")(of_location(weather, "code_locations.flights.raw.stations")).key.path == [
        "flights",
        "weather",
    ]


def test_outside_of_a_location_a_key_has_no_prefix() -> None:
    def weather(base: pl.DataFrame) -> pl.DataFrame:
        return base

    asset = fact(code_version="1")(of_location(weather, "somewhere.facts"))
    assert asset.key.path == ["weather"]
    assert reads(asset) == {"base": "base"}


@pytest.mark.parametrize(
    ("returned", "kinds"),
    [
        (pl.DataFrame, {"fact", "polars"}),
        (pl.LazyFrame, {"fact", "polars"}),
        (pd.DataFrame, {"fact", "pandas"}),
        (pyarrow.Table, {"fact", "pyarrow"}),
        (dict[str, int], {"fact"}),
        (Any, {"fact"}),
    ],
)
def test_the_returned_type_gives_a_kind(returned: Any, kinds: set[str]) -> None:
    def some(): ...

    some.__annotations__ = {"return": returned}
    assert spec(fact(some)).kinds == kinds


def test_the_code_version_is_the_fingerprint_of_the_function() -> None:
    def one() -> int:
        return 1

    def two() -> int:
        return 2

    versions = [spec(fact(function)).code_version for function in (one, one, two)]
    assert versions[0] == versions[1] != versions[2]


def test_a_schema_documents_the_columns_before_the_first_run() -> None:
    @fact(schema=Rows)
    def some() -> pl.DataFrame:
        return GOOD

    (a, b) = spec(some).metadata["dagster/column_schema"].columns
    assert (a.name, a.type, a.description, a.constraints.other) == (
        "a",
        "Int64",
        "How many.",
        ["greater_than_or_equal_to(0)"],
    )
    assert b.constraints.nullable


def test_a_schema_is_a_check_that_blocks() -> None:
    @fact(key_prefix="t", schema=Rows)
    def some() -> pl.DataFrame:
        return GOOD

    shape, rule = some.check_specs
    assert (shape.name, shape.asset_key.path, shape.blocking) == ("schema", ["t", "some"], True)
    assert (rule.name, rule.asset_key.path, rule.blocking) == ("a__greater_than_or_equal_to", ["t", "some"], True)


def test_the_column_that_holds_the_partition_is_metadata() -> None:
    @fact(partition_by="month", partitions_def=dg.StaticPartitionsDefinition(["jan"]))
    def some() -> pl.DataFrame:
        return GOOD

    assert spec(some).metadata[PARTITION_BY] == "month"


def test_each_layer_may_read_itself_and_all_before_it() -> None:
    assert {layer: MAY_READ[layer][-1] for layer in LAYERS} == {layer: layer for layer in LAYERS}
    assert all("prediction" not in MAY_READ[layer] for layer in LAYERS[:-1])
    assert all("model" not in MAY_READ[layer] for layer in LAYERS[:2])


# Every argument of dg.asset still works


def test_what_a_team_says_wins_over_what_would_be_completed() -> None:
    asset = fact(
        key_prefix=["a", "b"],
        name="other",
        group_name="mine",
        kinds={"sql"},
        code_version="7",
        tags={"cost": "high"},
        metadata={"unit": "km"},
        owners=["team:x"],
        description="Mine.",
        io_manager_key="elsewhere",
        retry_policy=dg.RetryPolicy(max_retries=2),
        automation_condition=dg.AutomationCondition.eager(),
        op_tags={"pool": "gpu"},
    )(empty)
    said = spec(asset)
    assert said.key.path == ["a", "b", "other"]
    assert (said.group_name, said.kinds, said.code_version) == ("mine", {"sql"}, "7")
    assert said.tags.items() >= {"cost": "high", LAYER_TAG: "fact"}.items()
    assert said.metadata["unit"] == "km"
    assert (said.owners, said.description) == (["team:x"], "Mine.")
    assert asset.get_io_manager_key_for_asset_key(asset.key) == "elsewhere"
    assert asset.op.retry_policy == dg.RetryPolicy(max_retries=2)
    assert asset.op.tags["pool"] == "gpu"
    assert said.automation_condition == dg.AutomationCondition.eager()


@pytest.mark.parametrize("prefix", ["t", ["t"]])
def test_a_prefix_may_be_a_text_or_a_list(prefix: Any) -> None:
    assert fact(key_prefix=prefix)(empty).key.path == ["t", "empty"]


def test_no_prefix_can_be_said_too() -> None:
    assert fact(key_prefix=None, name="other")(empty).key.path == ["other"]


def test_a_whole_key_can_be_given() -> None:
    asset = fact(key=["far", "away"], schema=Rows)(empty)
    assert asset.key.path == ["far", "away"]
    assert {check.asset_key for check in asset.check_specs} == {asset.key}


@pytest.mark.parametrize(
    "dep",
    ["base", dg.AssetKey("base"), dg.AssetDep(dg.AssetKey("base")), dg.AssetSpec("base"), nothing_but_base],
    ids=type,
)
def test_a_dependency_without_a_value_can_be_declared_in_every_way(dep: Any) -> None:
    @feature(key_prefix="t", deps=[dep])
    def some() -> None: ...

    assert [found.asset_key.to_user_string() for found in spec(some).deps] == ["base"]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (dg.AssetIn(), "t/base"),
        (dg.AssetIn(key=["x", "y"]), "x/y"),
        (dg.AssetIn(key_prefix="x"), "x/base"),
        (dg.AssetIn(metadata={"columns": ["a"]}), "t/base"),
        (dg.AssetKey(["x", "y"]), "x/y"),
    ],
)
def test_an_input_is_one_of_the_same_location_unless_said_otherwise(given: Any, key: str) -> None:
    assert reads(feature(key_prefix="t", ins={"base": given})(empty)) == {"base": key}


def test_inputs_may_be_gathered_by_a_function_that_takes_any() -> None:
    @feature(key_prefix="t", ins={"one": dg.AssetIn(["t", "one"]), "two": dg.AssetIn(["t", "two"])})
    def some(**given: pl.DataFrame) -> None: ...

    assert reads(some) == {"one": "t/one", "two": "t/two"}


class Folder(dg.ConfigurableResource):
    path: str = "here"


class Chosen(dg.Config):
    rows: int = 1


@pytest.mark.parametrize("name", ["context", "_context", "context_", "_"])
def test_a_context_is_not_taken_for_an_asset(name: str) -> None:
    scope: dict[str, Any] = {"dg": dg}
    exec(f"def some({name}: dg.AssetExecutionContext, base): ...", scope)
    assert reads(feature(key_prefix="t", code_version="1")(of_location(scope["some"], __name__))) == {"base": "t/base"}


def test_resources_and_configuration_are_not_taken_for_assets() -> None:
    seen: list[Any] = []

    @fact(key_prefix="t")
    def some(config: Chosen, folder: Folder, plain: dg.ResourceParam[dict[str, int]]) -> None:
        seen.extend([config.rows, folder.path, plain])

    assert reads(some) == {}
    assert run(some, resources={"folder": Folder(path="there"), "plain": {"x": 1}}).success
    assert seen == [1, "there", {"x": 1}]


def test_a_resource_can_be_required_by_key() -> None:
    seen: list[Any] = []

    @fact(key_prefix="t", required_resource_keys={"plain"})
    def some(context: dg.AssetExecutionContext) -> None:
        seen.append(context.resources.plain)

    assert run(some, resources={"plain": 7}).success
    assert seen == [7]


def test_an_annotation_that_is_not_known_is_refused_with_the_names() -> None:
    def some(base: "Missing") -> None: ...  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(DefinitionError, match=r"some: the annotation 'Missing' is not a known name"):
        feature(some)


# Schemas


def test_a_good_value_is_checked_and_written(catalog: Catalog) -> None:
    @fact(key_prefix="t", schema=Rows)
    def some() -> pl.DataFrame:
        return GOOD

    result = run(some)
    shape, rule = result.get_asset_check_evaluations()
    assert (shape.check_name, shape.passed, shape.metadata["rows"].value) == ("schema", True, 2)
    assert (rule.check_name, rule.passed) == ("a__greater_than_or_equal_to", True)
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 2


def refused(returned: Callable[[], Any], annotation: Any, schema: Any = Rows) -> tuple[dg.ExecuteInProcessResult, str]:
    def some() -> Any:
        return returned()

    some.__annotations__ = {"return": annotation}
    result = run(fact(key_prefix="t", schema=schema)(some))
    return result, sentence(result)


@pytest.mark.parametrize(
    ("returned", "annotation"),
    [
        (lambda: BAD, pl.DataFrame),
        (lambda: BAD.lazy(), pl.LazyFrame),
        (lambda: BAD.to_arrow(), pyarrow.Table),
        (lambda: BAD.to_arrow().to_reader(), pyarrow.RecordBatchReader),
        (lambda: BAD.to_pandas(), pd.DataFrame),
        (lambda: dg.Output(BAD), dg.Output[pl.DataFrame]),
        (lambda: dg.MaterializeResult(value=BAD), dg.MaterializeResult[pl.DataFrame]),
    ],
    ids=["polars", "lazy", "arrow", "stream", "pandas", "output", "result"],
)
def test_a_bad_value_of_any_type_fails_its_check_and_is_not_published(
    returned: Callable[[], Any], annotation: Any, catalog: Catalog
) -> None:
    result, told = refused(returned, annotation)
    reason = "t/some was not published: column a breaks greater_than_or_equal_to(0) in 1 row (-2)"
    (kept,) = catalog.unpublished(TESS, "t/some")
    assert told == f"{reason}. What was computed is kept for a look, and read by nobody: {kept.label}."
    assert (kept.rejected, kept.rows) == (reason, 2)
    shape, rule = result.get_asset_check_evaluations()
    assert (shape.passed, rule.passed, rule.severity) == (True, False, dg.AssetCheckSeverity.ERROR)
    assert result.get_asset_materialization_events() == []
    assert catalog.current(TESS) == []


class PandasRows(pandera.pandas.DataFrameModel):
    a: int = pandera.pandas.Field(ge=0)


def test_a_schema_of_pandas_checks_a_frame_of_pandas() -> None:
    _, told = refused(lambda: pd.DataFrame({"a": [1, -2]}), pd.DataFrame, PandasRows)
    assert told.startswith("t/some was not published: column a breaks greater_than_or_equal_to(0) in 1 row (-2).")


def test_an_empty_table_breaks_every_schema() -> None:
    _, told = refused(lambda: GOOD.clear(), pl.DataFrame)
    assert told.startswith("t/some was not published: the table has no rows.")


@pytest.mark.parametrize(
    ("returned", "what"),
    [(lambda: None, "nothing"), (lambda: [1], "a builtins.list"), (lambda: dg.MaterializeResult(), "nothing")],
)
def test_what_is_no_table_is_refused_by_name(returned: Callable[[], Any], what: str) -> None:
    _, told = refused(returned, Any)
    assert told == f"t/some returned {what}, which its schema cannot check; return a polars.DataFrame."


def test_a_value_that_breaks_its_schema_is_not_computed_again() -> None:
    tries: list[int] = []

    @fact(key_prefix="t", schema=Rows, retry_policy=dg.RetryPolicy(max_retries=2))
    def some() -> pl.DataFrame:
        tries.append(1)
        return BAD

    assert not run(some).success
    assert len(tries) == 1


def test_what_is_downstream_of_a_bad_value_is_not_computed() -> None:
    @fact(key_prefix="t", schema=Rows)
    def some() -> pl.DataFrame:
        return BAD

    @feature(key_prefix="t")
    def after(some: pl.DataFrame) -> None:
        raise AssertionError("computed")

    result = run(some, after)
    assert {event.step_key for event in result.all_events if event.is_step_start} == {"t__some"}


def test_a_lazy_frame_is_computed_once(catalog: Catalog) -> None:
    times: list[int] = []

    def counted(frame: pl.DataFrame) -> pl.DataFrame:
        times.append(1)
        return frame

    @fact(key_prefix="t", schema=Rows)
    def some() -> pl.LazyFrame:
        return GOOD.lazy().map_batches(counted, schema=GOOD.schema)

    assert run(some).success
    assert len(times) == 1
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 2


@pytest.mark.parametrize("result_type", [dg.Output, dg.MaterializeResult])
def test_what_a_function_says_besides_its_value_is_kept(result_type: Any) -> None:
    @fact(key_prefix="t", schema=Rows)
    def some() -> Any:
        return result_type(value=GOOD, metadata={"source": "a file"}, tags={"quality": "high"})

    told = metadata(run(some), some)
    assert told["source"] == "a file"
    assert told["dagster/row_count"] == 2
    assert told["tags"]["quality"] == "high"


def test_a_function_with_a_schema_can_have_checks_of_its_own() -> None:
    @fact(key_prefix="t", schema=Rows, check_specs=[dg.AssetCheckSpec("mine", asset=["t", "some"])])
    def some() -> dg.MaterializeResult[pl.DataFrame]:
        return dg.MaterializeResult(value=GOOD, check_results=[dg.AssetCheckResult(check_name="mine", passed=True)])

    evaluations = run(some).get_asset_check_evaluations()
    found = {evaluation.check_name: evaluation.passed for evaluation in evaluations}
    assert found == {"mine": True, "schema": True, "a__greater_than_or_equal_to": True}


@pytest.mark.parametrize("schema", [None, Rows])
def test_a_blocking_check_of_the_functions_own_keeps_its_value_unpublished(schema: Any, catalog: Catalog) -> None:
    @fact(key_prefix="t", schema=schema, check_specs=[dg.AssetCheckSpec("mine", asset=["t", "some"], blocking=True)])
    def some() -> dg.MaterializeResult[pl.DataFrame]:
        failed = dg.AssetCheckResult(check_name="mine", passed=False, description="too late")
        return dg.MaterializeResult(value=GOOD, check_results=[failed])

    result = run(some)
    assert sentence(result).startswith("t/some was not published: too late.")
    assert "mine" in {evaluation.check_name for evaluation in result.get_asset_check_evaluations()}
    assert catalog.current(TESS) == []
    assert len(catalog.unpublished(TESS, "t/some")) == 1


def test_the_only_check_of_a_function_needs_no_name(catalog: Catalog) -> None:
    @fact(key_prefix="t", check_specs=[dg.AssetCheckSpec("mine", asset=["t", "some"], blocking=True)])
    def some() -> dg.MaterializeResult[pl.DataFrame]:
        return dg.MaterializeResult(value=GOOD, check_results=[dg.AssetCheckResult(passed=False)])

    assert sentence(run(some)).startswith("t/some was not published: mine.")
    assert catalog.current(TESS) == []


def test_a_blocking_check_that_the_function_says_nothing_of_has_not_passed(catalog: Catalog) -> None:
    @fact(key_prefix="t", check_specs=[dg.AssetCheckSpec("mine", asset=["t", "some"], blocking=True)])
    def some() -> pl.DataFrame:
        return GOOD

    assert sentence(run(some)).startswith("t/some was not published: its function said nothing of mine")
    assert catalog.current(TESS) == []


def test_a_function_with_a_schema_can_still_be_called_and_read() -> None:
    @fact(schema=Rows)
    def some(base: pl.DataFrame) -> pl.DataFrame:
        """What happened."""
        return base

    assert spec(some).description == "What happened."
    assert reads(some) == {"base": "base"}


def yields() -> Any:
    yield dg.Output(GOOD)


async def awaits() -> pl.DataFrame:
    return GOOD


@pytest.mark.parametrize("function", [yields, awaits])
def test_a_function_with_a_schema_must_return_its_table(function: Callable[..., Any]) -> None:
    with pytest.raises(DefinitionError, match=f"t/{function.__name__}: a function with a schema must return its table"):
        fact(key_prefix="t", schema=Rows)(function)


def test_the_names_of_the_package_are_the_decorators() -> None:
    import platform_core

    assert isinstance(platform_core, ModuleType)
    assert platform_core.fact is fact
