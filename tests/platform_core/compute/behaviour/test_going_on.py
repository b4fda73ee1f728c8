"""Runs that are cancelled, or lose their run worker, while steps run."""

import pytest

from platform_core.catalog.opening import open_catalog
from platform_core.compute.run_worker import SUPERSEDED, new_launch
from platform_core.settings import current_settings
from platform_core.store.opening import open_store
from platform_core.store.values import Target, write_version
from tests.platform_core.compute.behaviour.run_workers import ForkingLauncher
from tests.platform_core.compute.behaviour.worlds import PATIENCE, Ran, World

HEARTS = ("heart", "child")


def test_a_cancelled_run_ends_and_nothing_of_it_runs_on(world: World) -> None:
    run_id = _until_steps_run(world)
    world.instance.run_launcher.terminate(run_id)
    ran = world.finish(run_id)
    assert ran.status == "CANCELED"
    assert "It was cancelled." in ran.failure("lasting")
    assert [heart for heart in HEARTS if world.notes.is_alive(heart)] == []
    assert world.left_of(ran) == []
    assert not world.notes.lines("after_lasting")


def test_a_run_that_was_ended_without_its_worker_takes_its_steps_along(world: World) -> None:
    """As the daemon does with a run that is to be cancelled while nobody can ask its worker to."""
    run_id = _until_steps_run(world)
    run = world.instance.get_run_by_id(run_id)
    assert run is not None
    world.instance.report_run_canceled(run)
    ForkingLauncher.processes[run_id].join(PATIENCE)
    ran = world.finish(run_id)
    assert ran.status == "CANCELED"
    assert [heart for heart in HEARTS if world.notes.is_alive(heart)] == []
    assert world.left_of(ran) == []
    assert not world.notes.lines("after_lasting")


@pytest.mark.parametrize("deployment", ["local"], indirect=True)  # where steps are makes no difference
def test_a_worker_leaves_a_run_that_another_one_was_launched_for(world: World) -> None:
    run_id = _until_steps_run(world)
    new_launch(world.instance, run_id)
    first = ForkingLauncher.processes[run_id]
    first.join(PATIENCE)
    assert first.exitcode == SUPERSEDED
    assert world.notes.is_alive("heart", PATIENCE), "the step ended together with the worker that left"
    world.notes.say("end_unseen")
    world.resume(run_id)
    world.notes.say("end")
    ran = world.finish(run_id)
    assert ran.status == "SUCCESS", ran.said("lasting")
    assert _starts(world) == {"lasting": 1, "ends_unseen": 1, "after_lasting": 1}


def test_a_run_whose_worker_died_goes_on_and_no_step_runs_twice(world: World) -> None:
    run_id = _until_steps_run(world)
    world.kill(run_id)
    world.notes.say("end_unseen")
    assert world.notes.is_alive("heart", PATIENCE), "the step ended together with its run worker"
    _write_moving(2)
    world.resume(run_id)
    world.notes.say("end")
    ran = world.finish(run_id)
    assert ran.status == "SUCCESS", ran.said("lasting")
    assert _starts(world) == {"lasting": 1, "ends_unseen": 1, "after_lasting": 1}
    assert _successes(ran) == {"lasting": 1, "ends_unseen": 1, "after_lasting": 1}
    assert world.notes.lines("after_lasting") == ["1"], "it read what was committed after the run had started"


def _until_steps_run(world: World) -> str:
    world.notes.forget("end", "end_unseen", "unseen", *HEARTS, "lasting", "ends_unseen", "after_lasting")
    _write_moving(1)
    run_id = world.start("lasting", "ends_unseen", "after_lasting")
    world.wait("unseen", *HEARTS)
    return run_id


def _write_moving(value: int) -> None:
    settings = current_settings()
    written = write_version(open_store(settings.store), value, Target(settings.writes_to, "moving"))
    open_catalog(settings.catalog).commit(settings.writes_to, [written])


def _starts(world: World) -> dict[str, int]:
    return {step: len(world.notes.lines(step)) for step in ("lasting", "ends_unseen", "after_lasting")}


def _successes(ran: Ran) -> dict[str, int]:
    return {step: len(ran.of(step, "STEP_SUCCESS")) for step in ("lasting", "ends_unseen", "after_lasting")}
