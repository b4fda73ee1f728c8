"""Many steps in one run: partitions side by side, an order among them, and numbers known only when they run."""

from platform_core import Compute, client
from platform_core.catalog.opening import open_catalog
from platform_core.compute.fan_out import SWEEP_TAG
from platform_core.compute.spec import COMPUTE_TAG
from platform_core.runner.loading import LoadedLocation
from platform_core.runner.sweeping import Wanted, begun
from platform_core.settings import current_settings
from platform_core.trials.job import SWEEP_JOB
from tests.platform_core.compute.behaviour.location import PARTS, SHARE, defs
from tests.platform_core.compute.behaviour.worlds import MODULE, Ran, World


def test_partitions_of_a_step_run_side_by_side_each_once(world: World) -> None:
    keys = PARTS.get_partition_keys()[: world.place.partitions]
    ran = world.run("parts", partitions=keys)
    assert ran.status == "SUCCESS", ran.troubles
    assert "again" not in ran.said("parts"), "a partition was lost and started again"
    assert sorted(world.notes.lines("parts")) == keys
    assert {key: client.load("parts", key) for key in keys} == {key: key for key in keys}
    assert len(ran.of("parts", "STEP_START")) == len(ran.of("parts", "STEP_SUCCESS")) == 1


def test_trials_of_a_sweep_run_there_each_once_and_one_that_fails_does_so_alone(world: World, main: Ran) -> None:
    assert main.succeeded("numbers")
    location = LoadedLocation("behaviour", MODULE, "defs", defs)
    asked = begun(location, Wanted("tuned", grid=["depth=2,3,4"], metric="auc"))
    tags = {SWEEP_TAG: asked.id, COMPUTE_TAG: Compute(cpu=SHARE).to_text()}
    ran = world.run(job=SWEEP_JOB, tags=tags)
    assert ran.status == "SUCCESS", ran.troubles
    assert ran.backends()["trials"] == world.place.name
    assert sorted(world.notes.lines("tuned")) == ["2", "3", "4"]
    trials = open_catalog(current_settings().catalog).trials(asked.id)
    assert [(trial.state, dict(trial.metrics)) for trial in trials] == [
        ("done", {"auc": 0.2}), ("failed", {}), ("done", {"auc": 0.4}),
    ]  # fmt: skip
    assert "three is too many" in trials[1].sentence
    assert client.load(f"tuned@{trials[2].version}") == {"rows": 1000, "depth": 4}
    assert "3 trials: 2 done, 1 failed." in ran.said("trials")


def test_steps_of_higher_priority_begin_first(world: World) -> None:
    assert world.run("low", "high", most=1).status == "SUCCESS"
    assert world.notes.lines("order") == ["high", "low"]


def test_outputs_known_only_at_run_time_become_steps(world: World) -> None:
    ran = world.run(job="dynamic")
    assert ran.status == "SUCCESS", ran.troubles
    assert world.notes.lines("summed") == ["13"]


def test_a_run_goes_on_without_a_step_that_may_fail(world: World, main: Ran) -> None:
    """The first run showed the value 1; now the step fails, and what reads it gets that value still."""
    assert main.succeeded("after_optional")
    ran = world.run("optional", "after_optional")
    assert ran.status == "SUCCESS", ran.troubles
    assert client.load("after_optional") == 101
    (told,) = [check.asset_check_evaluation_data for check in ran.of("optional", "ASSET_CHECK_EVALUATION")]
    assert (told.passed, told.severity.value) == (False, "WARN")
    assert "the source is down" in ran.said("optional")


def test_steps_of_one_run_are_on_several_backends_at_once(mixed: World) -> None:
    steps = [f"on_{place}" for place in mixed.places]
    ran = mixed.run(*steps)
    assert ran.status == "SUCCESS", ran.troubles
    assert {client.load(step) for step in steps} == set(mixed.places)
    assert ran.backends() == {f"on_{place}": place for place in mixed.places}
