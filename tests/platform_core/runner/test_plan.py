"""A selection becomes as few runs as possible, in an order in which everything read is there."""

from collections.abc import Iterable, Mapping

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core import fact
from platform_core.errors import NotFoundError, PartitionError
from platform_core.runner.plan import Plan, make_plan, select
from tests.platform_core.runner.locations import located

LOCATION = located()
KEYS = ["jan", "feb", "mar", "apr"]


def planned(selection: str = "", partition: str = "", existing: Mapping[str, Iterable[str]] | None = None) -> Plan:
    there = existing or {}
    return make_plan(LOCATION, selection, partition, lambda key: there.get(key.path[-1], ()))


def runs(plan: Plan) -> list[tuple[set[str], tuple[str, ...]]]:
    return [({key.path[-1] for key in run.assets}, run.partitions) for run in plan.runs]


def names(text: str) -> list[str]:
    return [key.path[-1] for key in select(LOCATION, text)]


# Selections


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", ["planes", "flights", "features", "trained", "predicted"]),
        ("*", ["planes", "flights", "features", "trained", "predicted"]),
        ("features", ["features"]),
        ("t/features", ["features"]),
        ('key:"t/features"', ["features"]),
        ("+features", ["planes", "flights", "features"]),
        ("features+", ["features", "trained", "predicted"]),
        ("1+trained", ["features", "trained"]),
        ("features+1", ["features", "trained"]),
        ("planes or trained", ["planes", "trained"]),
        ("+features and not planes", ["flights", "features"]),
        ("(planes or flights) and flights", ["flights"]),
        ("group:facts", ["planes", "flights"]),
        ("kind:model", ["trained"]),
        ('tag:"headrace/layer"=fact', ["planes", "flights"]),
        ("sinks(features or flights)", ["features"]),
    ],
)
def test_a_selection_is_dagsters_and_names_may_be_short(text: str, selected: list[str]) -> None:
    assert sorted(names(text)) == sorted(selected)


def test_what_is_selected_comes_upstream_first() -> None:
    order = names("trained or flights or features or predicted")
    assert order == ["flights", "features", "trained", "predicted"]


@pytest.mark.filterwarnings("error")
def test_a_selection_says_nothing_of_what_is_beta_in_dagster() -> None:
    assert names("group:facts or *")


def test_an_unknown_name_is_refused_with_a_suggestion() -> None:
    with pytest.raises(NotFoundError, match=r"^Location t has no asset 'featuers'\. Did you mean features"):
        select(LOCATION, "featuers")


@pytest.mark.parametrize("text", ["features and", "(features", "features features", "nonsense:x"])
def test_a_selection_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(NotFoundError) as error:
        select(LOCATION, text)
    assert str(error.value).startswith(f"The selection '{text}' cannot be understood: ")
    assert "\n" not in str(error.value)


# Runs


def test_everything_is_planned_in_batches_of_one_kind() -> None:
    assert runs(planned(partition="all")) == [
        ({"flights"}, tuple(KEYS)),
        ({"planes"}, ()),
        ({"features"}, tuple(KEYS)),
        ({"trained", "predicted"}, ("mar", "apr")),
    ]


def test_tables_of_neighbouring_partitions_share_a_run() -> None:
    assert runs(planned("flights", "feb..apr")) == [({"flights"}, ("feb", "mar", "apr"))]


def test_objects_share_a_run_whose_step_takes_their_partitions_side_by_side() -> None:
    assert runs(planned("trained or predicted", "all")) == [({"trained", "predicted"}, ("mar", "apr"))]


def test_an_asset_that_is_not_of_the_platform_has_a_run_for_each_partition() -> None:
    @dg.asset(key_prefix="t", partitions_def=dg.StaticPartitionsDefinition(["mar", "apr"]))
    def foreign() -> None: ...

    plan = make_plan(located(foreign), "", "all", lambda _: ())
    assert runs(plan) == [({"foreign"}, ("mar",)), ({"foreign"}, ("apr",))]


def test_assets_of_the_same_kind_share_their_runs() -> None:
    assert runs(planned("flights or features", "jan")) == [({"flights", "features"}, ("jan",))]


@pytest.mark.parametrize("selection", ["", "+trained", "flights+", "planes or predicted"])
def test_nothing_runs_before_what_it_reads(selection: str) -> None:
    done: set[dg.AssetKey] = set()
    plan = planned(selection, "all")
    chosen = {key for run in plan.runs for key in run.assets}
    for run in plan.runs:
        for key in run.assets:
            reads = LOCATION.graph.get(key).parent_keys & chosen
            assert reads <= done | set(run.assets)
        done |= set(run.assets)
    assert [run.batch for run in plan.runs] == sorted(run.batch for run in plan.runs)


# Which partitions


def test_without_a_partition_those_that_are_missing_are_computed() -> None:
    plan = planned("flights", existing={"flights": ["jan", "mar"]})
    assert runs(plan) == [({"flights"}, ("feb",)), ({"flights"}, ("apr",))]


def test_where_none_is_missing_the_latest_is_computed_again_and_that_is_said() -> None:
    plan = planned("flights", existing={"flights": KEYS})
    assert runs(plan) == [({"flights"}, ("apr",))]
    assert plan.notes == (
        "flights: computing apr; the other 3 of 4 partitions are there already (--partition all computes them again)",
    )


def test_a_partition_that_one_asset_of_a_batch_lacks_is_computed_for_all_of_it() -> None:
    plan = planned("flights or features", existing={"flights": KEYS, "features": ["jan", "feb", "mar"]})
    assert runs(plan) == [({"flights", "features"}, ("apr",))]


def test_nothing_is_noted_where_everything_is_computed() -> None:
    assert planned("flights").notes == ()


def test_the_latest_is_that_of_each_asset() -> None:
    assert runs(planned("flights or trained", "latest")) == [({"flights"}, ("apr",)), ({"trained"}, ("apr",))]


def test_an_asset_without_partitions_runs_whichever_is_asked_for() -> None:
    assert runs(planned("planes or flights", "feb")) == [({"flights"}, ("feb",)), ({"planes"}, ())]


def test_of_a_range_each_asset_computes_what_it_has_and_that_is_said() -> None:
    plan = planned("flights or trained", "feb..mar")
    assert runs(plan) == [({"flights"}, ("feb", "mar")), ({"trained"}, ("mar",))]
    assert plan.notes == ("trained: only mar, as its partitions are mar..apr",)


def test_an_asset_without_the_partition_is_left_out_and_that_is_said() -> None:
    plan = planned("flights or trained", "jan")
    assert runs(plan) == [({"flights"}, ("jan",))]
    assert plan.notes == ("trained: left out, as its partitions are mar..apr",)


@pytest.mark.parametrize("partition", ["may", "2013-01", "jan..may", "mar..jan"])
@pytest.mark.parametrize("selection", ["", "flights", "planes or trained"])
def test_a_partition_that_no_asset_has_is_refused_before_anything_runs(selection: str, partition: str) -> None:
    with pytest.raises(PartitionError, match=r"no partition|runs backwards"):
        planned(selection, partition)


def test_a_partition_of_what_has_none_is_refused() -> None:
    with pytest.raises(PartitionError, match="Nothing that is selected has partitions; leave out feb"):
        planned("planes", "feb")


@pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")
def test_assets_of_a_single_run_for_all_partitions_are_not_cut() -> None:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(KEYS), backfill_policy=dg.BackfillPolicy.single_run())
    def whole() -> None: ...

    plan = make_plan(located(whole), "", "all", lambda _: ())
    assert [run.partitions for run in plan.runs] == [tuple(KEYS)]


@given(st.sets(st.sampled_from(KEYS)))
def test_every_missing_partition_is_computed_once_and_no_other(there: set[str]) -> None:
    plan = planned("flights", existing={"flights": there})
    computed = [key for run in plan.runs for key in run.partitions]
    assert computed == ([key for key in KEYS if key not in there] or ["apr"])


def test_a_location_without_partitions_is_one_run() -> None:
    @fact(key_prefix="t")
    def one() -> None: ...

    @fact(key_prefix="t")
    def two() -> None: ...

    assert len(make_plan(located(one, two), "", "", lambda _: ()).runs) == 1
