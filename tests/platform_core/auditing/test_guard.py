"""A value that does not pass stays out of sight, whatever was wrong with it; what only warns goes on."""

from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pandera.polars as pa
import polars as pl
import pyarrow
import pytest

from platform_core import fact, feature
from platform_core.auditing.guard import guard_of
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import BYTES_IN_MEMORY, Move
from platform_core.checks.audits.audit import Judgement, Subject
from platform_core.checks.audits.volume import volume
from platform_core.errors import ConflictError, DefinitionError
from tests.platform_core.drafts import TESS
from tests.platform_core.runs import run, sentence

MONTHS = dg.StaticPartitionsDefinition(["jan", "feb", "mar"])


class Rows(pa.DataFrameModel):
    a: int = pa.Field(ge=0)


@dataclass(frozen=True)
class Says:
    """An audit that passes or not, as it is told, and remembers what it looked at."""

    passed: bool
    blocking: bool = True
    name: str = "says"
    description: str = "As told."
    seen: list[Subject] = field(default_factory=list, compare=False)

    def judge(self, subject: Subject) -> Judgement:
        self.seen.append(subject)
        return Judgement(self.passed, None if self.passed else "it is not right")


def test_what_a_blocking_audit_refuses_is_kept_and_never_shown(catalog: Catalog) -> None:
    @fact(key_prefix="t", checks=[Says(True, name="first"), Says(False)])
    def some() -> pl.DataFrame:
        return pl.DataFrame({"a": [1]})

    @feature(key_prefix="t")
    def after(some: pl.DataFrame) -> None:
        raise AssertionError("computed")

    result = run(some, after)
    assert sentence(result).startswith("t/some was not published: it is not right. What was computed is kept")
    assert {item.check_name: item.passed for item in result.get_asset_check_evaluations()} == {
        "first": True,
        "says": False,
    }
    assert catalog.current(TESS) == []
    assert catalog.history(TESS, "t/some") == []
    (kept,) = catalog.unpublished(TESS, "t/some")
    assert kept.rejected == "t/some was not published: it is not right"
    with pytest.raises(ConflictError, match="was rejected by its checks and cannot be made current"):
        catalog.move_refs(TESS, [Move("t/some", "", kept.id)], kind="rollback")


def test_readers_go_on_with_the_version_before(catalog: Catalog) -> None:
    def table(rows: int, passes: bool) -> dg.AssetsDefinition:
        @fact(key_prefix="t", checks=[Says(passes)])
        def some() -> pl.DataFrame:
            return pl.DataFrame({"a": range(rows)})

        return some

    assert run(table(1, True)).success
    assert not run(table(2, False)).success
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 1


def test_what_only_warns_is_published(catalog: Catalog) -> None:
    @fact(key_prefix="t", checks=[Says(False, blocking=False)])
    def some() -> pl.DataFrame:
        return pl.DataFrame({"a": [1]})

    result = run(some)
    assert result.success
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 1


def test_an_audit_that_fails_itself_has_not_passed() -> None:
    class Breaks(Says):
        def judge(self, subject: Subject) -> Judgement:
            raise ZeroDivisionError("division by zero")

    @fact(key_prefix="t", checks=[Breaks(True)])
    def some() -> int:
        return 1

    assert "says of t/some could not be judged: ZeroDivisionError: division by zero" in sentence(run(some))


def test_an_audit_sees_the_value_its_inputs_and_its_partitions() -> None:
    audit = Says(True)

    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month")
    def base(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"month": context.partition_keys})

    @feature(key_prefix="t", partitions_def=MONTHS, partition_by="month", checks=[audit])
    def some(base: pl.DataFrame) -> pl.LazyFrame:
        return base.lazy().with_columns(a=pl.lit(1))

    assert run(base, some, of="jan..feb").success
    (subject,) = audit.seen
    assert subject.frame["month"].to_list() == ["jan", "feb"]
    assert subject.table("base").columns == ["month"]
    assert (subject.asset, subject.partitions, subject.partition_by) == ("t/some", ("jan", "feb"), "month")


def test_a_rejected_run_of_several_partitions_keeps_each(catalog: Catalog) -> None:
    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month", checks=[Says(False)])
    def some(context: dg.AssetExecutionContext) -> pl.DataFrame:
        return pl.DataFrame({"month": context.partition_keys})

    assert not run(some, of="jan..mar").success
    assert sorted(item.partition for item in catalog.unpublished(TESS, "t/some")) == ["feb", "jan", "mar"]


def test_a_value_without_the_column_that_splits_it_is_kept_whole(catalog: Catalog) -> None:
    class WithMonth(pa.DataFrameModel):
        month: str

    @fact(key_prefix="t", partitions_def=MONTHS, partition_by="month", schema=WithMonth)
    def some() -> pl.DataFrame:
        return pl.DataFrame({"months": ["jan"]})

    assert "column month is missing" in sentence(run(some, of="jan"))
    assert len(catalog.unpublished(TESS, "t/some")) == 1


def test_a_model_can_be_audited_too(catalog: Catalog) -> None:
    @fact(key_prefix="t", checks=[Says(False)])
    def some() -> dict[str, int]:
        return {"a": 1}

    assert not run(some).success
    assert len(catalog.unpublished(TESS, "t/some")) == 1


def test_versions_say_how_large_their_tables_are_in_memory(catalog: Catalog) -> None:
    @fact(key_prefix="t", checks=[volume()])
    def some() -> pl.DataFrame:
        return pl.DataFrame({"a": range(1000)})

    assert run(some).success
    assert catalog.resolve(TESS, "t/some")[""].version.metadata[BYTES_IN_MEMORY] == 8000


@pytest.mark.parametrize("schema", [None, Rows])
@pytest.mark.parametrize("kind", [pl.LazyFrame, pl.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader])
def test_what_audits_have_read_is_still_there_to_be_written(kind: Any, schema: Any, catalog: Catalog) -> None:
    frame = pl.DataFrame({"a": range(10)})
    ways: dict[Any, Any] = {
        pl.LazyFrame: lambda: frame.lazy(),
        pl.DataFrame: lambda: frame,
        pyarrow.Table: lambda: frame.to_arrow(),
        pyarrow.RecordBatchReader: lambda: frame.to_arrow().to_reader(),
    }

    def some() -> Any:
        return ways[kind]()

    some.__annotations__ = {"return": kind}
    assert run(fact(key_prefix="t", schema=schema, checks=[volume()])(some)).success
    assert catalog.resolve(TESS, "t/some")[""].version.rows == 10


def test_names_of_checks_differ() -> None:
    with pytest.raises(DefinitionError, match="t/some has more than one check says"):
        guard_of(dg.AssetKey(["t", "some"]), checks=[Says(True), Says(False)])


def test_a_function_can_still_be_called_by_hand() -> None:
    calls: list[Any] = []

    @feature(key_prefix="t", schema=Rows, checks=[Says(True)])
    def some(base: pl.DataFrame) -> pl.DataFrame:
        calls.append(base)
        return base

    by_hand: Any = some(pl.DataFrame({"a": [1]}))
    output, *results = by_hand
    assert output.value.height == 1
    assert all(result.passed for result in results)
    assert len(calls) == 1
