"""The partitions of a step: each started once, however their outcomes come in."""

from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.declaration import ONE_PARTITION_AT_A_TIME
from platform_core.compute.fan_out import FanOut, fan_out_of, tags_of
from platform_core.compute.retelling import Outcome
from tests.platform_core.compute.doubles import handed, step_of

LETTERS = dg.StaticPartitionsDefinition(["a", "b", "c", "d"])
ALONE = {ONE_PARTITION_AT_A_TIME: True}
STEP: Any = None


@given(st.data(), st.integers(1, 12), st.one_of(st.none(), st.integers(1, 5)))
def test_each_partition_is_started_once_and_no_more_at_once_than_may(
    data: st.DataObject, count: int, at_once: int | None
) -> None:
    fan = FanOut(STEP, [str(number) for number in range(count)], at_once)
    started, running = list(fan.startable()), set()
    running.update(started)
    while running:
        assert at_once is None or len(running) <= at_once
        assert not fan.is_complete
        assert fan.startable() == []
        partition = data.draw(st.sampled_from(sorted(running)))
        fan.settle(Outcome(data.draw(st.sampled_from(["done", "failed"])), partition))
        running.remove(partition)
        more = fan.startable()
        started += more
        running.update(more)
    assert started == [str(number) for number in range(count)]
    assert fan.is_complete


@given(st.data(), st.integers(1, 8), st.one_of(st.none(), st.integers(1, 3)))
def test_what_is_remembered_is_not_started_again_and_all_else_is(
    data: st.DataObject, count: int, at_once: int | None
) -> None:
    keys = [str(number) for number in range(count)]
    outcome = st.builds(Outcome, st.sampled_from(["done", "failed", "retry"]), st.sampled_from(keys))
    told = data.draw(st.lists(outcome, max_size=12))
    settled = {each.partition for each in told if each.kind != "retry"}
    fan = FanOut(STEP, keys, at_once)
    fan.remember(told)
    started: list[str] = []
    while some := fan.startable():
        started += some
        for partition in some:
            fan.settle(Outcome("done", partition))
    assert started == [key for key in keys if key not in settled]
    assert fan.is_complete
    assert fan.tries == {
        key: tries for key in keys if (tries := [each.kind for each in told if each.partition == key].count("retry"))
    }


def test_the_outputs_of_all_partitions_are_told_together() -> None:
    fan = FanOut(STEP, ["a", "b"])
    fan.settle(Outcome("done", "a", outputs=["result"]))
    fan.settle(Outcome("done", "b", outputs=["result", "check"]))
    assert fan.outputs == {"result", "check"}
    assert fan.failure == ""


def test_a_failure_names_the_first_partitions_and_counts_the_rest() -> None:
    fan = FanOut(STEP, [str(number) for number in range(9)])
    for number in range(7):
        fan.settle(Outcome("failed", str(number), sentence=f"no {number}"))
    fan.settle(Outcome("done", "7"))
    assert fan.failure == "7 of 9 partitions failed. 0: no 0, 1: no 1, 2: no 2, 3: no 3, 4: no 4 and 2 more"


def fan_of(asset: Any, *others: Any, of: str) -> FanOut | None:
    """The fan-out of the step of an asset."""
    return handed(lambda context, plan: fan_out_of(context, step_of(plan, asset)), asset, *others, of=of)


@pytest.mark.parametrize(("of", "keys"), [("b..d", ["b", "c", "d"]), ("b", None)])
def test_an_asset_that_takes_one_partition_at_a_time_is_taken_apart(of: str, keys: list[str] | None) -> None:
    @dg.asset(partitions_def=LETTERS, metadata=ALONE)
    def split() -> None: ...

    fan = fan_of(split, of=of)
    assert (fan.partitions if fan else None) == keys


def test_an_asset_that_takes_its_partitions_together_is_not() -> None:
    @dg.asset(partitions_def=LETTERS)
    def whole() -> None: ...

    assert fan_of(whole, of="a..d") is None


def test_an_asset_is_taken_apart_when_what_it_reads_was() -> None:
    @dg.asset(partitions_def=LETTERS, metadata=ALONE)
    def split() -> None: ...

    @dg.asset(partitions_def=LETTERS, deps=[split])
    def reader() -> None: ...

    fan = fan_of(reader, split, of="a..b")
    assert fan is not None
    assert fan.partitions == ["a", "b"]


def test_an_asset_without_partitions_is_not_taken_apart() -> None:
    @dg.asset(metadata=ALONE)
    def plain() -> None: ...

    assert fan_of(plain, of="") is None


def test_a_step_in_a_pool_takes_its_partitions_one_by_one() -> None:
    @dg.asset(partitions_def=LETTERS, metadata=ALONE, pool="warehouse")
    def split() -> None: ...

    fan = fan_of(split, of="a..d")
    assert fan is not None
    assert fan.at_once == 1


def test_the_process_of_a_partition_sees_a_run_of_that_partition() -> None:
    @dg.asset(partitions_def=LETTERS, metadata=ALONE)
    def split() -> None: ...

    tags = handed(lambda context, plan: tags_of(context, step_of(plan, split), "c"), split, of="a..d", theirs="kept")
    assert tags["dagster/partition"] == "c"
    assert tags["theirs"] == "kept"
    assert not [name for name in tags if "range" in name]
