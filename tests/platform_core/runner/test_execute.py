"""A plan is run, and every step of it is told: nothing is skipped in silence."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from platform_core import fact, feature, model
from platform_core.catalog.catalog import Catalog
from platform_core.dagster_internals import RetryMode
from platform_core.errors import FrozenError, NotFoundError, PartitionError, SourceError
from platform_core.runner.execute import run
from platform_core.runner.loading import LoadedLocation
from tests.platform_core.drafts import TESS
from tests.platform_core.runner.locations import MONTHS, flights, located, planes
from tests.platform_core.runs import instance

Told = list[dict[str, Any]]
KEYS = MONTHS.get_partition_keys()


class Messages:
    def __init__(self) -> None:
        self.told: Told = []

    def send(self, kind: str, **content: Any) -> None:
        self.told.append({"kind": kind, **content})

    def of(self, kind: str) -> Told:
        return [message for message in self.told if message["kind"] == kind]


@pytest.fixture(autouse=True)
def _dagster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An instance of Dagster in memory, and a list of locations with `t` in it."""
    entry = "{location_name: t, module_name: code_locations.t.definitions, executable_path: x}"
    (tmp_path / "workspace.yaml").write_text(f"load_from: [{{python_module: {entry}}}]")
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    monkeypatch.setattr(dg.DagsterInstance, "get", staticmethod(lambda: nullcontext(instance())))


def told(location: LoadedLocation, selection: str = "", partition: str = "") -> tuple[int, Messages]:
    messages = Messages()
    return run(location, selection, partition, messages), messages


def test_a_run_is_planned_told_step_by_step_and_ended(catalog: Catalog) -> None:
    code, messages = told(located(), "flights", "feb..mar")
    assert code == 0
    assert [message["kind"] for message in messages.told] == [
        *("planned", "run_started", "step_started", "materialized", "materialized", "step_ended", "run_ended"),
    ]
    assert messages.of("planned")[0]["runs"] == [{"assets": ["t/flights"], "partitions": ["feb", "mar"]}]
    assert messages.of("step_started")[0]["assets"] == ["t/flights"]
    assert {message["partition"] for message in messages.of("materialized")} == {"feb", "mar"}
    assert {message["transaction"] for message in messages.of("materialized")} == {1}
    assert messages.of("run_ended")[0]["ok"]
    assert set(catalog.resolve(TESS, "t/flights")) == {"feb", "mar"}


@dg.multi_asset(specs=[dg.AssetSpec(["t", "left"]), dg.AssetSpec(["t", "right"])], can_subset=True)
def pair(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key)


def test_of_a_step_that_could_compute_more_only_what_was_asked_for_is_told() -> None:
    code, messages = told(located(pair), "left")
    assert code == 0
    assert messages.of("step_started")[0]["assets"] == ["t/left"]


def test_everything_from_facts_to_predictions_is_computed(catalog: Catalog) -> None:
    code, messages = told(located(), "", "mar")
    assert code == 0
    assert {item.version.asset for item in catalog.current(TESS)} == {
        "t/planes", "t/flights", "t/features", "t/trained", "t/predicted",
    }  # fmt: skip
    assert len(messages.of("run_ended")) == len(messages.of("planned")[0]["runs"])


def test_what_is_there_already_is_not_computed_again(catalog: Catalog) -> None:
    told(located(), "flights", "jan..mar")
    _, messages = told(located(), "flights")
    assert messages.of("planned")[0]["runs"] == [{"assets": ["t/flights"], "partitions": ["apr"]}]
    assert "3 of 4 partitions are there already" in messages.of("planned")[0]["notes"][0]


@fact(key_prefix="t", name="flights", partitions_def=MONTHS, partition_by="month")
def broken_flights() -> pl.DataFrame:
    raise ValueError("no flights\n\npages of context")


@feature(key_prefix="t", partitions_def=MONTHS, partition_by="month")
def after(flights: pl.DataFrame) -> pl.DataFrame:
    return flights


def test_a_failed_step_is_told_in_one_line(catalog: Catalog) -> None:
    code, messages = told(located(broken_flights), "", "jan")
    assert code == 1
    (failed,) = messages.of("step_failed")
    assert failed["assets"] == ["t/flights"]
    assert failed["sentence"] == "ValueError: no flights"
    assert not messages.of("run_ended")[0]["ok"]
    assert catalog.current(TESS) == []


def test_an_error_that_says_what_to_do_is_told_as_it_is() -> None:
    @fact(key_prefix="t")
    def some() -> None:
        raise SourceError("The file was not delivered. Put it there.")

    _, messages = told(located(some))
    assert messages.of("step_failed")[0]["sentence"] == "The file was not delivered. Put it there."


def test_a_step_that_was_not_run_because_what_it_reads_failed_is_told_as_skipped() -> None:
    code, messages = told(located(broken_flights, after), "", "jan")
    assert code == 1
    assert [message["assets"] for message in messages.of("step_skipped")] == [["t/after"]]


def test_a_run_that_reads_what_failed_is_not_started_and_that_is_told() -> None:
    @model(key_prefix="t", partitions_def=dg.StaticPartitionsDefinition(["jan"]))
    def weights(flights: pl.DataFrame) -> list[int]:
        return [1]

    code, messages = told(located(broken_flights, weights), "", "jan")
    assert code == 1
    assert [message["run"] for message in messages.of("not_started")] == [1]
    assert [message["run"] for message in messages.of("run_started")] == [0]


def test_checks_are_told_with_how_they_ended() -> None:
    @dg.asset_check(asset=planes)
    def enough(planes: pl.DataFrame) -> dg.AssetCheckResult:
        severity = dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(passed=False, severity=severity, description="only one")

    code, messages = told(located(planes, checks=[enough]))
    assert code == 0
    (checked,) = messages.of("checked")
    assert {name: checked[name] for name in ("asset", "check", "passed", "severity", "description")} == {
        "asset": "t/planes", "check": "enough", "passed": False, "severity": "WARN", "description": "only one",
    }  # fmt: skip


def test_what_another_location_may_have_is_no_error_where_several_were_asked() -> None:
    messages = Messages()
    assert run(located(), "bananas", "", messages, alone=False) == 0
    (message,) = messages.told
    assert message["kind"] == "elsewhere"
    assert "Location t has no asset 'bananas'." in message["sentence"]
    with pytest.raises(NotFoundError, match="has no asset 'bananas'"):
        run(located(), "bananas", "", messages)


def test_a_partition_that_was_meant_for_others_leaves_assets_without_partitions_as_they_are(catalog: Catalog) -> None:
    messages = Messages()
    assert run(located(), "planes", "feb", messages, alone=False) == 0
    assert messages.of("planned")[0]["runs"] == [{"assets": ["t/planes"], "partitions": []}]
    with pytest.raises(PartitionError, match="Nothing that is selected has partitions"):
        run(located(), "planes", "feb", messages)


def test_of_a_month_a_location_whose_partitions_have_names_computes_what_is_missing(catalog: Catalog) -> None:
    messages = Messages()
    assert run(located(planes, flights), "", "2013-01..2013-03", messages, alone=False) == 0
    assert [planned["partitions"] for planned in messages.of("planned")[0]["runs"]] == [KEYS, []]
    assert run(located(planes, flights), "", "feb..mar", again := Messages(), alone=False) == 0
    assert [planned["partitions"] for planned in again.of("planned")[0]["runs"]] == [["feb", "mar"], []]
    for selection, location in (("flights", located()), ("", located(hours))):  # named, or a moment that there is not
        with pytest.raises(PartitionError, match="There is no partition 2013-13"):
            run(location, selection, "2013-13", messages, alone=False)


@fact(key_prefix="t", partitions_def=dg.MonthlyPartitionsDefinition("2013-01", fmt="%Y-%m"), partition_by="month")
def hours(context: dg.AssetExecutionContext) -> pl.DataFrame:
    return pl.DataFrame({"month": list(context.partition_keys)})


def test_a_run_that_does_not_begin_says_why(catalog: Catalog) -> None:
    """Such as one of a location whose lock file is not frozen."""

    class Refusing(dg.Executor):
        retries = RetryMode.DISABLED

        def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
            yield from ()
            raise FrozenError("The lock of t is not frozen.")

    executor = dg.ExecutorDefinition(name="refusing", executor_creation_fn=lambda _: Refusing())
    code, messages = told(located(executor=executor), "planes")
    assert code == 1
    assert [message["sentence"] for message in messages.of("run_failed")] == ["The lock of t is not frozen."]
    assert messages.of("step_started") == []
