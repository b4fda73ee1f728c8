"""Trials get their parameters from the request and from what ended, whichever process asks."""

from contextlib import suppress
from itertools import product

import pytest

from platform_core.catalog.sweep_values import Trial
from platform_core.trials.choosing import Stopped, parameters_of, stopping
from platform_core.trials.request import choice, make_request, span


def test_a_grid_is_a_product_in_the_order_of_the_request() -> None:
    request = make_request([choice("a=1,2"), choice("b=x,y,z"), choice("c=[0],[1]")], "grid", None)
    found = [tuple(parameters_of(request, number).values()) for number in range(1, 13)]
    assert found == list(product([1, 2], ["x", "y", "z"], [[0], [1]]))


def test_random_trials_are_the_same_for_every_process_and_others_with_another_seed() -> None:
    axes = [span("int", "n=1:1000:log"), span("float", "r=0:1"), choice("k=[1],[2]")]
    request, other = (make_request(axes, "random", 30, seed=seed) for seed in (0, 1))
    found = [parameters_of(request, number) for number in range(1, 31)]
    assert found == [parameters_of(request, number) for number in range(1, 31)]
    assert len({(trial["n"], trial["r"]) for trial in found}) == 30
    assert all(1 <= trial["n"] <= 1000 and 0 <= trial["r"] <= 1 and trial["k"] in ([1], [2]) for trial in found)
    assert found[0] != parameters_of(other, 1)


def test_a_search_learns_from_what_ended() -> None:
    request = make_request([span("float", "x=-10:10")], "tpe", 40, metric="score")
    ended: list[Trial] = []
    for number in range(1, 41):
        given = parameters_of(request, number, ended)
        ended.append(Trial("s", number, "done", given, metrics={"score": -((given["x"] - 3) ** 2)}))
    late = [abs(trial.parameters["x"] - 3) for trial in ended[25:]]
    early = [abs(trial.parameters["x"] - 3) for trial in ended[:10]]
    assert sum(late) / len(late) < sum(early) / len(early) / 2


@pytest.mark.parametrize("rule", ["median", "halving"])  # hyperband leaves some trials alone
@pytest.mark.parametrize("maximize", [True, False])
def test_a_trial_that_falls_behind_is_stopped_and_a_good_one_is_not(rule: str, maximize: bool) -> None:
    request = make_request([choice("a=1,2")], "grid", None, metric="m", maximize=maximize, stop=rule)
    sign = 1 if maximize else -1
    ended = [
        Trial("s", number, "done", {}, 1, {"m": sign * number}, tuple((step, sign * number) for step in range(10)))
        for number in range(10, 40)
    ]
    ended.append(Trial("s", 40, "stopped", {}, 1, {"m": sign * 2.0}, ((0, sign * 2.0),)))
    ended.append(Trial("s", 41, "failed"))

    def steps_of(value: float) -> int:
        reports: list[tuple[int, float]] = []
        listen = stopping(request, ended, reports)
        with suppress(Stopped):
            for step in range(10):
                listen("m", sign * value, step)
                listen("other", 0, step)
        return len(reports)

    assert steps_of(1) < 10
    assert steps_of(100) == 10
