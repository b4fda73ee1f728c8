"""Steps read what the namespace shows in the type they are annotated with, and write whole versions or nothing."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from platform_core import fact, feature, model, prediction
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import InputVersion, Version
from platform_core.errors import PartitionError
from platform_core.io_manager import HeadraceIOManager, require_one_partition, require_partitions
from platform_core.namespaces import PRODUCTION
from platform_core.partitions import lookback
from platform_core.store.local import LocalStore
from platform_core.store.values import read_versions
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import QUIET, metadata, run, sentence

MONTHS = dg.StaticPartitionsDefinition(["jan", "feb", "mar"])
IN_ORDER = dg.MonthlyPartitionsDefinition(start_date="2013-01", end_date="2013-05", fmt="%Y-%m")


@fact(key_prefix="t")
def base() -> pl.DataFrame:
    return pl.DataFrame({"a": [1, 2], "b": ["x", None]})


@fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def monthly(context: dg.AssetExecutionContext) -> pl.DataFrame:
    keys = list(context.partition_keys)
    return pl.DataFrame({"month": keys, "value": [len(key) for key in keys]})


def version(catalog: Catalog, asset: dg.AssetsDefinition, partition: str = "") -> Version:
    return catalog.resolve(TESS, asset.key.to_user_string())[partition].version


def shown(catalog: Catalog, asset: dg.AssetsDefinition) -> set[str]:
    return set(catalog.resolve(TESS, asset.key.to_user_string()))


# What is read


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame, pa.Table, pa.RecordBatchReader, pd.DataFrame])
def test_the_annotation_of_a_parameter_decides_its_type(kind: Any) -> None:
    seen: list[Any] = []

    def reader(base):
        seen.append(base)

    reader.__annotations__ = {"base": kind, "return": None}
    assert run(base, feature(key_prefix="t")(reader)).success
    assert [type(value) for value in seen] == [kind]


def test_a_relation_of_duckdb_can_be_asked_for() -> None:
    run(base)
    # Not by an annotation: Dagster keeps the types of those, which in a process with tests keeps DuckDB from closing.
    relation = import_module("duckdb").DuckDBPyRelation
    asked_for = dg.DagsterType(lambda _context, _value: True, name="Relation", typing_type=relation)
    context = dg.build_input_context(asset_key=base.key, dagster_type=asked_for)
    assert HeadraceIOManager().load_input(context).project("a").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("annotations", [{}, {"base": Any}])
def test_without_a_type_a_table_comes_as_a_polars_frame(annotations: dict[str, Any]) -> None:
    seen: list[Any] = []

    def reader(base):
        seen.append(type(base))

    reader.__annotations__ = annotations
    assert run(base, feature(key_prefix="t")(reader)).success
    assert seen == [pl.DataFrame]


def test_a_type_that_a_table_cannot_have_is_refused_in_a_sentence() -> None:
    @feature(key_prefix="t")
    def reader(base: dict[str, int]) -> None: ...

    assert "t/base is a table, but is asked for as" in sentence(run(base, reader))


def test_an_object_comes_back_as_it_was() -> None:
    seen: list[Any] = []

    @model(key_prefix="t")
    def weights() -> dict[str, float]:
        return {"slope": 0.5}

    @prediction(key_prefix="t")
    def applied(weights: dict[str, float]) -> None:
        seen.append(weights)

    assert run(weights, applied).success
    assert seen == [{"slope": 0.5}]


def test_a_check_of_a_team_reads_the_value_it_checks() -> None:
    @dg.asset_check(asset=base, blocking=True)
    def has_rows(base: pl.LazyFrame) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=base.collect().height == 2)

    result = run(base, has_rows)
    assert [evaluation.passed for evaluation in result.get_asset_check_evaluations()] == [True]


def test_a_person_reads_a_value_outside_of_any_run() -> None:
    run(base, monthly, of="jan..mar")
    definitions = dg.Definitions(assets=[base, monthly], resources={"io_manager": HeadraceIOManager()})
    lazy: Any = definitions.load_asset_value(base.key, python_type=pl.LazyFrame)
    eager: Any = definitions.load_asset_value(monthly.key, partition_key="feb")
    assert lazy.collect().height == 2
    assert eager["month"].to_list() == ["feb"]


def test_where_a_namespace_has_nothing_production_is_read(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    @feature(key_prefix="t")
    def doubled(base: pl.DataFrame) -> pl.DataFrame:
        return base.with_columns(pl.col("a") * 2)

    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    run(base)
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")
    assert run(base, doubled, only=doubled).success
    assert [read.namespace for read in version(catalog, doubled).provenance.inputs] == ["production"]
    assert [item.version.asset for item in catalog.current(PRODUCTION)] == ["t/base"]


def test_what_is_not_there_yet_is_named_with_the_command_that_makes_it() -> None:
    @feature(key_prefix="t")
    def doubled(base: pl.DataFrame) -> pl.DataFrame:
        return base

    told = sentence(run(base, doubled, only=doubled))
    assert told == "t/base has no version in user/tess yet; run it first: headrace run t/base"


def test_a_missing_partition_is_named_with_the_command_that_makes_it() -> None:
    @feature(key_prefix="t", partitions_def=MONTHS)
    def same(monthly: pl.DataFrame) -> pl.DataFrame:
        return monthly

    run(monthly, of="jan")
    told = sentence(run(monthly, same, only=same, of="mar"))
    assert told == (
        "t/monthly has no version of mar in user/tess yet; run it first: headrace run t/monthly --partition mar"
    )


def test_several_missing_partitions_are_named_as_a_range() -> None:
    @feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def same(monthly: pl.DataFrame) -> pl.DataFrame:
        return monthly

    told = sentence(run(monthly, same, only=same, of="jan..mar"))
    assert told.endswith("run it first: headrace run t/monthly --partition jan..mar")


# Partitions


def test_one_run_writes_a_version_for_each_partition_of_its_range(catalog: Catalog, store: LocalStore) -> None:
    result = run(monthly, of="jan..mar")
    assert result.success
    found = catalog.resolve(TESS, "t/monthly")
    assert {key: item.version.rows for key, item in found.items()} == {"jan": 1, "feb": 1, "mar": 1}
    assert read_versions(store, [found["feb"].version])["month"].to_list() == ["feb"]
    assert len(catalog.transactions(TESS)) == 1
    assert len(result.get_asset_materialization_events()) == 3


def test_partitions_that_are_not_of_the_run_are_left_alone(catalog: Catalog) -> None:
    run(monthly, of="jan..mar")
    before = version(catalog, monthly, "mar")
    run(monthly, of="jan..feb")
    assert version(catalog, monthly, "mar") == before
    assert version(catalog, monthly, "jan").transaction == 2


def test_partitions_of_a_range_are_read_as_one_table_in_their_order() -> None:
    seen: list[pl.DataFrame] = []

    @feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def same(monthly: pl.DataFrame) -> pl.DataFrame:
        seen.append(monthly)
        return monthly

    assert run(monthly, same, of="jan..mar").success
    assert seen[0]["month"].to_list() == ["jan", "feb", "mar"]


def test_an_asset_without_partitions_reads_all_that_there_are() -> None:
    seen: list[pl.DataFrame] = []

    @feature(key_prefix="t")
    def whole(monthly: pl.DataFrame) -> None:
        seen.append(monthly)

    run(monthly, of="jan")
    run(monthly, of="mar")
    assert run(monthly, whole, only=whole).success
    assert seen[0]["month"].to_list() == ["jan", "mar"]


def test_a_partition_reads_an_asset_without_partitions_whole() -> None:
    @feature(key_prefix="t", partitions_def=MONTHS)
    def joined(context: dg.AssetExecutionContext, base: pl.DataFrame) -> pl.DataFrame:
        return base.with_columns(month=pl.lit(context.partition_key))

    run(base)
    assert run(base, joined, only=joined, of="feb").success


def test_a_partition_can_read_those_before_it_as_far_as_there_are_any(catalog: Catalog) -> None:
    @fact(key_prefix="t", partitions_def=IN_ORDER, partition_by="month")
    def rows(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"month": list(context.partition_keys)})

    @feature(key_prefix="t", partitions_def=IN_ORDER, ins={"rows": dg.AssetIn(partition_mapping=lookback(2))})
    def count(rows: pl.DataFrame) -> list[str]:
        return rows["month"].to_list()

    run(rows, of="2013-01..2013-04")
    for month, partitions in {"2013-01": 1, "2013-02": 2, "2013-04": 3}.items():
        assert run(rows, count, only=count, of=month).success
        read = [item.partition for item in version(catalog, count, month).provenance.inputs]
        assert read == ["2013-01", "2013-02", "2013-03", "2013-04"][int(month[-1]) - partitions : int(month[-1])]


def test_rows_of_another_partition_are_refused_and_nothing_is_written(catalog: Catalog) -> None:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def greedy() -> pl.DataFrame:
        return pl.DataFrame({"month": ["jan", "feb", "dec"]})

    told = sentence(run(greedy, of="jan"))
    assert "t/greedy was asked for jan, but its column month also holds dec, feb" in told
    assert catalog.current(TESS) == []


def test_an_empty_partition_of_a_range_is_refused_and_nothing_is_written(catalog: Catalog) -> None:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def gappy() -> pl.DataFrame:
        return pl.DataFrame({"month": ["jan", "mar"]})

    assert "t/gappy has no row for feb: nothing was written" in sentence(run(gappy, of="jan..mar"))
    assert catalog.current(TESS) == []


def test_a_value_that_cannot_be_split_is_refused_for_several_partitions() -> None:
    @model(key_prefix="t", partitions_def=MONTHS)
    def weights() -> list[int]:
        return []

    assert "t/weights computes 3 partitions in one run, but" in sentence(run(weights, of="jan..mar"))


def test_an_object_of_one_partition_needs_no_splitting(catalog: Catalog) -> None:
    @model(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def weights() -> list[int]:
        return [1]

    assert run(weights, of="feb").success
    assert shown(catalog, weights) == {"feb"}


def test_a_column_to_split_by_that_is_not_there_is_named() -> None:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="moth")
    def rows() -> pl.DataFrame:
        return pl.DataFrame({"month": ["jan"]})

    assert "'moth', which the table does not have: month" in sentence(run(rows, of="jan"))


def test_the_keys_of_a_value_are_exactly_the_partitions_of_the_run() -> None:
    require_partitions("x", ["a", "b"], "key", ["b", "a"])
    with pytest.raises(PartitionError, match="x was asked for a, but its column key also holds b"):
        require_partitions("x", ["a"], "key", ["a", "b"])
    with pytest.raises(PartitionError, match="x has no row for c"):
        require_partitions("x", ["a", "b", "c"], "key", ["a", "b"])


def test_a_stream_may_still_bring_what_is_missing_but_no_strangers() -> None:
    require_partitions("x", ["a", "b"], "key", ["b"], complete=False)
    with pytest.raises(PartitionError, match="also holds c"):
        require_partitions("x", ["a", "b"], "key", ["c"], complete=False)


def test_a_value_that_cannot_be_cut_is_of_one_partition() -> None:
    require_one_partition("x", ["a"])
    with pytest.raises(PartitionError, match="x computes 2 partitions in one run"):
        require_one_partition("x", ["a", "b"])


# What is written


def test_a_version_knows_where_it_came_from(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "tess")

    @feature(key_prefix="t", code_version="v7")
    def doubled(base: pl.DataFrame) -> pl.DataFrame:
        return base

    result = run(base, doubled)
    origin = version(catalog, doubled).provenance
    read = version(catalog, base)
    assert origin.inputs == (InputVersion("base", "t/base", "", read.id, "user/tess"),)
    assert (origin.run_id, origin.step, origin.author, origin.code_version) == (
        result.run_id, "t__doubled", "tess", "v7",
    )  # fmt: skip
    assert len(origin.git_commit) >= 40


def test_inputs_are_named_by_parameter_and_partition(catalog: Catalog) -> None:
    @feature(
        key_prefix="t",
        partitions_def=MONTHS,
        ins={"rows": dg.AssetIn(["t", "monthly"]), "other": dg.AssetIn(["t", "base"])},
    )
    def joined(rows: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        return rows

    run(base)
    run(monthly, of="feb")
    run(base, monthly, joined, only=joined, of="feb")
    inputs = version(catalog, joined, "feb").provenance.inputs
    read = {(item.name, item.asset, item.partition) for item in inputs}
    assert read == {("rows", "t/monthly", "feb"), ("other", "t/base", "")}


def test_each_partition_of_a_run_knows_what_it_was_computed_from(catalog: Catalog) -> None:
    @fact(key_prefix="t", partitions_def=IN_ORDER, partition_by="month")
    def rows(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"month": list(context.partition_keys)})

    @feature(
        key_prefix="t",
        partitions_def=IN_ORDER,
        partition_by="month",
        ins={"before": dg.AssetIn(["t", "rows"], partition_mapping=lookback(1)), "base": dg.AssetIn(["t", "base"])},
    )
    def joined(context: dg.AssetExecutionContext, before: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
        return before.filter(pl.col("month").is_in(list(context.partition_keys)))

    run(base)
    run(rows, of="2013-01..2013-04")
    done = run(base, rows, joined, only=joined, of="2013-02..2013-04")
    assert done.success, [e.step_failure_data.error for e in done.all_events if e.is_step_failure]
    for month, earlier in {"2013-02": "2013-01", "2013-04": "2013-03"}.items():
        read = [(item.asset, item.partition) for item in version(catalog, joined, month).provenance.inputs]
        assert sorted(read) == [("t/base", ""), ("t/rows", earlier), ("t/rows", month)]


def test_a_step_that_is_tried_again_counts_what_it_read_once(catalog: Catalog) -> None:
    tries: list[int] = []

    @feature(key_prefix="t", retry_policy=dg.RetryPolicy(max_retries=1))
    def shaky(base: pl.DataFrame) -> pl.DataFrame:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("not today")
        return base

    assert run(base, shaky).success
    assert len(version(catalog, shaky).provenance.inputs) == 1


def test_every_output_of_a_step_knows_what_the_step_read(catalog: Catalog) -> None:
    @dg.multi_asset(
        outs={"one": dg.AssetOut(key=["t", "one"]), "two": dg.AssetOut(key=["t", "two"])},
        ins={"base": dg.AssetIn(["t", "base"])},
    )
    def both(base: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        return base, base

    assert run(base, both).success
    for name in ("t/one", "t/two"):
        (read,) = catalog.resolve(TESS, name)[""].version.provenance.inputs
        assert read.asset == "t/base"


def test_our_errors_are_not_tried_again() -> None:
    tries: list[int] = []

    @fact(key_prefix="t", retry_policy=dg.RetryPolicy(max_retries=3), partitions_def=MONTHS, partition_by="month")
    def greedy() -> pl.DataFrame:
        tries.append(1)
        return pl.DataFrame({"month": ["dec"]})

    assert not run(greedy, of="jan").success
    assert len(tries) == 1


def test_numbers_and_texts_of_an_assets_metadata_are_kept_with_its_version(catalog: Catalog) -> None:
    @model(key_prefix="t")
    def weights() -> dg.Output[list[int]]:
        return dg.Output([1], metadata={"auc": 0.75, "rows": 3, "kind": "trees", "curve": dg.MetadataValue.json({})})

    assert run(weights).success
    assert version(catalog, weights).told == {"auc": 0.75, "rows": 3, "kind": "trees"}


def test_the_event_says_what_was_written(catalog: Catalog, store: LocalStore) -> None:
    told = metadata(run(base), base)
    written = version(catalog, base)
    assert told["headrace/version"] == written.id
    assert told["headrace/namespace"] == "user/tess"
    assert told["headrace/transaction"] == written.transaction == 1
    assert told["headrace/bytes"] == written.bytes > 0
    assert told["dagster/row_count"] == 2
    assert Path(told["dagster/uri"]) == store.path(written.files[0].key).parent
    assert [column.name for column in told["dagster/column_schema"].columns] == ["a", "b"]
    assert "| 1 " in told["headrace/head"]


def test_the_event_says_what_was_read(catalog: Catalog) -> None:
    @feature(key_prefix="t")
    def doubled(base: pl.DataFrame) -> pl.DataFrame:
        return base

    told = metadata(run(base, doubled), doubled)
    assert f"| base | t/base |  | `{version(catalog, base).id}` | user/tess |" in told["headrace/inputs"]


def test_an_object_has_no_rows_to_tell_of() -> None:
    @model(key_prefix="t")
    def weights() -> list[int]:
        return [1]

    told = metadata(run(weights), weights)
    assert not {"dagster/row_count", "headrace/head", "dagster/column_schema"} & set(told)


def test_the_data_version_in_the_event_is_the_hash_of_the_content(catalog: Catalog) -> None:
    first = metadata(run(base), base)["tags"]
    again = metadata(run(base), base)["tags"]
    assert first["dagster/data_version"] == again["dagster/data_version"] == version(catalog, base).data_version


# What is not written


def explodes() -> pl.LazyFrame:
    return pl.LazyFrame({"a": [1]}).map_batches(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]


def two_columns_of_one_name() -> pa.Table:
    return pa.table([[1], [2]], names=["a", "a"])


def nothing_to_keep() -> Any:
    return lambda: 1


@pytest.mark.parametrize("value", [explodes, two_columns_of_one_name, nothing_to_keep])
def test_a_step_that_fails_leaves_the_namespace_as_it_was(value: Callable[[], Any], catalog: Catalog) -> None:
    run(base)
    before = catalog.current(TESS)

    @fact(key_prefix="t", name="base")
    def broken() -> Any:
        return value()

    assert not run(broken).success
    assert catalog.current(TESS) == before
    assert len(catalog.transactions(TESS)) == 1


def test_a_later_step_that_fails_takes_nothing_back(catalog: Catalog) -> None:
    @feature(key_prefix="t")
    def broken(base: pl.DataFrame) -> pl.DataFrame:
        raise RuntimeError("not today")

    assert not run(base, broken).success
    assert [item.version.asset for item in catalog.current(TESS)] == ["t/base"]


def test_a_table_that_cannot_be_read_back_is_refused_in_a_sentence() -> None:
    @fact(key_prefix="t")
    def twins() -> pa.Table:
        return two_columns_of_one_name()

    assert "The table has more than one column called" in sentence(run(twins))


def test_a_function_that_declares_to_return_nothing_writes_nothing(catalog: Catalog) -> None:
    @fact(key_prefix="t")
    def effect() -> None: ...

    assert run(effect).success
    assert catalog.current(TESS) == []


def test_a_damaged_version_fails_the_step_that_reads_it(catalog: Catalog, store: LocalStore) -> None:
    @feature(key_prefix="t")
    def doubled(base: pl.LazyFrame) -> pl.LazyFrame:
        return base

    run(base)
    store.path(version(catalog, base).files[0].key).write_bytes(b"PAR1")
    told = sentence(run(base, doubled, only=doubled))
    assert told.startswith(f"Version {version(catalog, base).label} cannot be read: its file ")
    assert shown(catalog, doubled) == set()


def test_nothing_is_opened_before_something_is_read_or_written(tmp_path: Path) -> None:
    dg.Definitions(assets=[base], resources={"io_manager": HeadraceIOManager()}).resolve_all_job_defs()
    assert not (tmp_path / "home").exists()


# Two runs at once


def test_of_two_runs_at_once_the_last_to_commit_counts_and_its_event_names_the_other(catalog: Catalog) -> None:
    others: list[Version] = []

    @fact(key_prefix="t")
    def shared(context: dg.AssetExecutionContext) -> pl.DataFrame:
        if not others:  # while this run computes, another one begins and ends
            second = run(shared_again)
            assert "headrace/overtaken" not in metadata(second, shared_again)
            others.append(version(catalog, shared))
        return pl.DataFrame({"a": [1]})

    @fact(key_prefix="t", name="shared")
    def shared_again() -> pl.DataFrame:
        return pl.DataFrame({"a": [2]})

    told = metadata(run(shared), shared)["headrace/overtaken"]
    (other,) = others
    assert told == (
        f"Replaces {other.label} of run {other.provenance.run_id[:8]}, committed while this run was going."
        " Both are kept; this one is current because it was committed last."
    )
    assert version(catalog, shared).replaces == other.id
    assert len(catalog.history(TESS, "t/shared")) == 2


def test_a_run_after_another_one_overtakes_nobody() -> None:
    run(base)
    assert not {"headrace/overtaken", "headrace/overtaken_by"} & set(metadata(run(base), base))


def test_an_input_that_may_be_none_is_none_while_there_is_nothing_to_read() -> None:
    @fact(key_prefix="t")
    def rare() -> pl.DataFrame:
        return pl.DataFrame({"n": [1]})

    @feature(key_prefix="t")
    def seen(rare: pl.DataFrame | None) -> str:
        return "nothing" if rare is None else type(rare).__name__

    assert run(rare, seen, only=seen).output_for_node("t__seen") == "nothing"
    assert run(rare, seen).output_for_node("t__seen") == "DataFrame"


def test_what_ops_hand_to_each_other_is_refused_in_a_sentence() -> None:
    @dg.op
    def one() -> int:
        return 1

    @dg.job(resource_defs={"io_manager": dg.IOManagerDefinition.hardcoded_io_manager(HeadraceIOManager())})
    def ops() -> None:
        one()

    result = ops.execute_in_process(raise_on_error=False, run_config=QUIET)
    assert sentence(result).startswith("The value 'result' is handed from op to op")


def test_a_version_knows_which_columns_are_sensitive(catalog: Catalog) -> None:
    fields = [pa.field("a", "int64", nullable=True), pa.field("b", "large_string", metadata={"sensitive": "true"})]

    @fact(key_prefix="t", schema=pa.schema(fields))
    def secrets() -> pl.DataFrame:
        return pl.DataFrame({"a": [1, 2], "b": ["x", None]})

    done = run(secrets)
    assert done.success
    assert version(catalog, secrets).sensitive == {"b"}
    assert "| b" not in metadata(done, secrets)["headrace/head"]
