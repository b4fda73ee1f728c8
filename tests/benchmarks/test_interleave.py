"""Contenders take turns, ratios are of medians, and work that was not done gives no time."""

import math
import sys

import pytest

from benchmarks.interleave import BenchmarkError, Comparison, Contender, Sample, command, interleaved


def recorder(log: list[str], *names: str) -> list[Contender]:
    return [Contender(name, lambda name=name: log.append(name)) for name in names]  # type: ignore[misc]


def test_each_round_has_all_contenders_in_an_order_of_its_own():
    log: list[str] = []
    samples = interleaved(recorder(log, "a", "b", "c"), rounds=20)
    rounds = ["".join(log[start : start + 3]) for start in range(0, len(log), 3)]
    assert rounds[0] == "abc"
    assert {"".join(sorted(order)) for order in rounds} == {"abc"}
    assert len(set(rounds)) > 3
    assert {name: len(taken) for name, taken in samples.items()} == {"a": 20, "b": 20, "c": 20}


def test_who_comes_before_whom_is_the_same_in_every_run():
    first, second = list[str](), list[str]()
    for log in (first, second):
        interleaved(recorder(log, "a", "b", "c"), rounds=5)
    assert first == second


def test_a_warm_up_can_be_left_out():
    log: list[str] = []
    interleaved(recorder(log, "a", "b"), rounds=1, warm_up=False)
    assert sorted(log) == ["a", "b"]


def comparison(target: float) -> Comparison:
    samples = {
        "ours": [Sample(wall, 0.5) for wall in (3.0, 1.0, 100.0)],
        "peer": [Sample(wall, 0.0) for wall in (2.0, 2.0, 2.0)],
    }
    return Comparison("ours is quick", "ours", "peer", target, samples)


def test_one_bad_moment_does_not_decide():
    ours, peer = comparison(1.5).standings
    assert (ours.wall, ours.wall_ratio, peer.wall_ratio) == (3.0, 1.5, 1.0)


def test_a_reference_that_took_no_processor_time_gives_no_ratio():
    assert math.isnan(comparison(1.5).standings[0].cpu_ratio)


@pytest.mark.parametrize(("target", "holds"), [(1.5, True), (1.4, False)])
def test_a_claim_holds_up_to_its_target(target: float, holds: bool):
    assert comparison(target).holds is holds


def test_the_processor_time_of_a_command_is_counted():
    contender = command("busy", sys.executable, "-c", "sum(i * i for i in range(2_000_000))")
    (sample,) = interleaved([contender], rounds=1, warm_up=False)["busy"]
    assert sample.cpu > 0
    assert sample.wall > 0


def test_a_command_that_fails_ends_the_comparison_with_its_last_words():
    with pytest.raises(BenchmarkError, match="bad failed with exit code 3: out of luck"):
        command("bad", sys.executable, "-c", "import sys; print('first\\nout of luck'); sys.exit(3)").run()


def test_a_command_that_is_not_there_says_how_to_get_it():
    with pytest.raises(BenchmarkError, match=r"gone cannot start: .* `make bench`"):
        command("gone", "/nowhere/gone").run()


def test_a_command_gets_what_is_added_to_its_environment():
    command("env", sys.executable, "-c", "import os; assert os.environ['A'] == '1'", env={"A": "1"}).run()
