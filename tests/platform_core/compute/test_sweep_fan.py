"""The step of a sweep: what starts, what a process that dies costs, and when it is over."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.compute.claims import Claims
from platform_core.compute.fan_out import AT_ONCE_TAG, SWEEP_TAG
from platform_core.compute.placement import Placement
from platform_core.compute.profiles import Profile
from platform_core.compute.retelling import Outcome
from platform_core.compute.spec import Compute
from platform_core.compute.sweep_fan import NOT_TRIED, SharedSweepFan, SweepFan, sweep_fan_of
from tests.platform_core.drafts import TESS

STEP: Any = None
OF_TRIALS: dict[str, Any] = {"count": 5, "metric": "auc", "maximize": True, "timeout": None, "axes": [{"name": "a"}]}
ASKED = OF_TRIALS | {"inputs": {"features": "shop/features@1"}}


@pytest.fixture
def sweep(catalog: Catalog) -> Sweep:
    return catalog.begin_sweep(TESS, Sweep("s-1", "user/tess", "t/m", "", ASKED))


def end(catalog: Catalog, *numbers: int) -> None:
    for number in numbers:
        catalog.end_trial(TESS, Trial("s-1", number, "done", {"a": number}, metrics={"auc": number / 10}))


def test_what_is_left_starts_as_far_as_may_and_a_failure_is_the_trials_alone(catalog: Catalog, sweep: Sweep) -> None:
    end(catalog, 1, 4)
    fan = SweepFan(STEP, sweep, catalog, at_once=2)
    assert fan.startable() == ["trial 2", "trial 3"]
    fan.settle(Outcome("failed", "trial 2", sentence="It was killed."))
    assert fan.startable() == ["trial 5"]
    end(catalog, 3, 5)
    fan.settle(Outcome("done", "trial 3"))
    fan.settle(Outcome("done", "trial 5"))
    assert fan.is_complete
    assert fan.failure == ""
    assert catalog.trials("s-1")[1] == Trial("s-1", 2, "failed", sentence="It was killed.")
    sentence, told = fan.note
    assert sentence == "5 trials: 4 done, 1 failed."
    assert told["headrace/read: features"] == "shop/features@1"
    assert told["headrace/trials"].value.splitlines()[2] == "| 5 | 5 | 0.5 | done | 0 |  |  |"


def test_a_worker_that_dies_fails_the_trial_that_it_was_at_and_another_goes_on(
    catalog: Catalog, sweep: Sweep, tmp_path: Path
) -> None:
    claims = Claims(tmp_path / "claims")
    fan = SharedSweepFan(STEP, sweep, catalog, 2, claims)
    assert fan.startable() == ["worker 1", "worker 2"]
    claims.take(1, "worker 1")
    claims.take(2, "worker 2")
    end(catalog, 1)
    claims.take(3, "worker 1")
    fan.settle(Outcome("failed", "worker 1", sentence="It crashed."))
    assert catalog.trials("s-1")[-1] == Trial("s-1", 3, "failed", sentence="It crashed.")
    assert fan.startable() == ["worker 3"]
    for number in (4, 5):
        claims.take(number, "worker 3")
    end(catalog, 2, 4, 5)
    fan.settle(Outcome("done", "worker 2"))
    assert fan.startable() == []
    assert not fan.is_complete
    fan.settle(Outcome("done", "worker 3"))
    assert fan.is_complete


def test_a_process_that_could_try_nothing_ends_the_sweep_with_its_sentence(
    catalog: Catalog, sweep: Sweep, tmp_path: Path
) -> None:
    fan = SharedSweepFan(STEP, sweep, catalog, 1, Claims(tmp_path / "claims"))
    fan.startable()
    Claims(tmp_path / "claims").take(1, "worker 1")
    fan.settle(Outcome("failed", "worker 1", sentence=f"{NOT_TRIED}there is nothing to read."))
    assert (fan.startable(), fan.is_complete) == ([], True)
    assert fan.failure == f"{NOT_TRIED}there is nothing to read."
    assert catalog.trials("s-1") == []


def test_a_trial_that_could_not_be_interrupted_is_told_as_too_long(
    catalog: Catalog, sweep: Sweep, tmp_path: Path
) -> None:
    slow = Sweep(sweep.id, sweep.namespace, sweep.asset, "", {**ASKED, "timeout": 2.0})
    fan = SharedSweepFan(STEP, slow, catalog, 1, Claims(tmp_path / "claims"))
    fan.startable()
    Claims(tmp_path / "claims").take(1, "worker 1")
    os.utime(tmp_path / "claims" / "1", (0, 0))
    fan.settle(Outcome("failed", "worker 1", sentence="Its process ended with exit code 1."))
    assert catalog.trials("s-1")[0].sentence.startswith("It took longer than 2 s, and could not be interrupted")


@pytest.mark.parametrize(("asked", "started"), [({AT_ONCE_TAG: "1"}, 1), ({AT_ONCE_TAG: "3"}, 3)])
def test_each_run_of_a_sweep_says_how_many_trials_there_are_at_once(
    catalog: Catalog, asked: dict[str, str], started: int
) -> None:
    catalog.begin_sweep(TESS, Sweep("s-2", "user/tess", "t/m", "", {**ASKED, "parallel": 2, "isolated": True}))
    context: Any = SimpleNamespace(dagster_run=SimpleNamespace(tags={SWEEP_TAG: "s-2", **asked}, run_id="run"))
    for backend in ("local", "kubernetes"):
        fan = sweep_fan_of(context, STEP, Placement(backend, Compute(), Profile(), "a test says so"))
        assert fan is not None
        assert len(fan.startable()) == started
