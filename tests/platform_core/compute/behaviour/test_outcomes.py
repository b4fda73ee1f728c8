"""What becomes of steps: one run on each backend, in which most of them do something else."""

import hashlib
import sys

import pytest

from platform_core import client
from platform_core.catalog.values import SECONDS
from tests.platform_core.compute.behaviour.location import TIME, WORDS
from tests.platform_core.compute.behaviour.worlds import GREETING, Ran, World


def test_values_are_read_by_the_next_step_and_by_people(world: World, main: Ran) -> None:
    assert main.succeeded("numbers"), main.said("numbers")
    assert main.succeeded("doubled"), main.said("doubled")
    assert client.load("doubled")["number"].to_list() == list(range(0, 2000, 2))
    assert 0 < client.versions("doubled")[SECONDS][0] < 600


def test_a_notebook_is_executed_there_and_kept(world: World, main: Ran) -> None:
    assert main.succeeded("reported"), main.said("reported")
    assert main.backends()["reported"] == world.place.name
    assert client.load("reported") == 1000
    cells = client.notebook("reported")["cells"]
    printed = "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", ()))
    assert "hello from" in printed


def test_an_event_says_which_backend_and_why(world: World, main: Ran) -> None:
    (placed,) = main.of("numbers", "STEP_WORKER_STARTING")
    assert f"On the backend {world.place.name} (the deployment's default): 0.5 cpu" in (placed.message or "")
    assert main.backends()["doubled"] == world.place.name


def test_the_trace_of_a_run_goes_on_where_its_steps_run(world: World, main: Ran) -> None:
    spans = [span for span in world.collector.spans if span.about.get("headrace.run") == main.run.run_id]
    (run,) = [span for span in spans if not span.parent]
    steps = {span.about["headrace.step"]: span for span in spans if span.name.startswith("step ")}
    assert {"numbers", "doubled", "faulty"} <= set(steps)
    assert {(span.trace, span.parent) for span in steps.values()} == {(run.trace, run.id)}
    assert (steps["faulty"].failed, steps["doubled"].failed) == ("KeyError", "")
    of_doubled = {span.name for span in world.collector.spans if span.parent == steps["doubled"].id}
    assert of_doubled == {"store.read", "store.write", "catalog.commit"}


def test_an_error_of_the_team_is_told_with_its_line(main: Ran) -> None:
    assert not main.succeeded("faulty")
    assert "KeyError" in main.failure("faulty")
    assert 'return nothing["flights"]' in main.failure("faulty")
    assert len(main.of("faulty", "STEP_START")) == 1


@pytest.mark.parametrize("step", ["endless_in_python", "endless_in_c", "endless_in_a_child"])
def test_a_step_is_ended_at_its_timeout_whatever_it_is_doing(world: World, main: Ran, step: str) -> None:
    world.need("exit codes")
    assert world.notes.lines(step), "it did not even begin"
    assert f"{TIME} s" in main.failure(step)
    assert "Compute(timeout=...)" in main.failure(step)
    assert not world.notes.is_alive(step)


def test_a_step_killed_from_outside_is_started_again_at_nobody_s_cost(world: World, main: Ran) -> None:
    assert main.succeeded("killed_once"), main.said("killed_once")
    assert client.load("killed_once") == 2
    assert "Starting it again (1 of 3 times)" in main.said("killed_once")
    assert not main.of("killed_once", "STEP_UP_FOR_RETRY")


def test_a_second_try_succeeds(world: World, main: Ran) -> None:
    assert client.load("second_try") == 2
    assert len(main.of("second_try", "STEP_UP_FOR_RETRY")) == 1
    assert len(main.of("second_try", "STEP_RESTARTED")) == 1


def test_variables_and_secrets_arrive_and_secrets_stay_secret(world: World, main: Ran) -> None:
    found = client.load("surroundings")
    assert found["step"] == "surroundings"
    if world.place.name != "local":
        assert found["greeting"] == GREETING
    world.need("secrets")
    assert found["secret"] == hashlib.sha256(world.secret.encode()).hexdigest()
    assert world.secret not in main.everything()


def test_the_interpreter_is_the_location_s(world: World, main: Ran) -> None:
    assert client.load("surroundings")["python"] == sys.version


def test_ten_megabytes_and_every_character_are_in_the_log(world: World, main: Ran) -> None:
    assert main.succeeded("chatter"), main.said("chatter")
    printed = world.instance.compute_log_manager.get_log_data(main.log_key("chatter"))
    out, err = ((data or b"").decode() for data in (printed.stdout, printed.stderr))
    assert len(out) > client.load("chatter")
    assert out.endswith(f"{WORDS}\n")
    assert WORDS in err


def test_a_pool_of_one_is_for_one_step_at_a_time(world: World, main: Ran) -> None:
    assert main.succeeded("alone")
    assert main.succeeded("also_alone")
    assert world.notes.lines("alone") == ["in", "out", "in", "out"]


def test_what_no_backend_can_place_fails_at_once_with_need_and_limit(main: Ran) -> None:
    assert "1000 cpu of at most 2" in main.failure("too_large")
    assert not main.of("too_large", "STEP_WORKER_STARTING")


def test_the_run_fails_for_those_that_failed_and_leaves_nothing(world: World, main: Ran) -> None:
    assert main.status == "FAILURE"
    assert world.left_of(main) == []


def test_too_much_memory_is_told_apart_and_doubled(world: World) -> None:
    world.need("memory")
    ran = world.run("greedy")
    assert "killed for memory at" in ran.said("greedy").lower()
    assert "of 300 MiB: ask for more with Compute(memory=...)" in ran.said("greedy")
    assert "Starting it again with 600 MiB (1 of 3 times)" in ran.said("greedy")
    assert ran.status == "SUCCESS"
    assert len(world.notes.lines("greedy")) == 2
