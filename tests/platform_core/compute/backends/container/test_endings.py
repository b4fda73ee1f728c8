import pytest

from platform_core.compute.attempts import Ending
from platform_core.compute.backends.container.endings import CANCELLED, Past, abandoned, ending, lacks_memory
from platform_core.compute.spec import Compute

FOUR = Compute(memory="4GiB", timeout="2h")


def test_a_step_that_ended_well_needs_no_sentence():
    assert ending(Past(0), FOUR, asked=False) == Ending("finished")


def test_a_step_that_had_ended_before_it_was_asked_to_is_not_cancelled():
    assert ending(Past(0), FOUR, asked=True) == Ending("finished")


@pytest.mark.parametrize("code", [137, 143, 1, 124])
def test_what_was_asked_to_end_was_cancelled(code):
    assert ending(Past(code), FOUR, asked=True) == CANCELLED


def test_the_workers_own_timeout_names_what_to_change():
    told = ending(Past(124), FOUR, asked=False)
    assert told == Ending("timeout", "It ran longer than 2 h: give it more with Compute(timeout=...), or do less.")


def test_a_step_may_exit_with_the_code_of_a_timeout_of_its_own():
    assert ending(Past(124), Compute(), asked=False).kind == "failed"


def test_memory_is_told_with_numbers():
    told = ending(Past(137, lacked_memory=True), FOUR, asked=False)
    assert told.kind == "memory"
    assert told.sentence == "It was killed for memory at 4 GiB of 4 GiB: ask for more with Compute(memory=...)."


def test_without_a_limit_the_machine_was_full():
    told = ending(Past(137, lacked_memory=True), Compute(), asked=False)
    assert told.sentence.startswith("It was killed for memory at all that its machine has: ask for more")


def test_a_kill_without_lack_of_memory_came_from_outside():
    told = ending(Past(137), FOUR, asked=False)
    assert told.kind == "vanished"
    assert told.sentence == (
        "Its process was killed from outside: by hand, or by a system that had no memory left"
        " (the engine saw no lack of memory within its own 4 GiB)."
    )


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (Past(137, signals=("9",)), "ended from outside, by signal 9 through the engine"),
        (Past(143, signals=("15", "9")), "ended from outside, by signal 15 through the engine"),
        (Past(143), "asked to end from outside"),
        (Past(255, unwatched=True), "exit code 255 while the engine was restarted or nobody watched"),
        (Past(137, unwatched=True), "exit code 137 while the engine was restarted or nobody watched"),
    ],
)
def test_what_others_did_to_a_container_is_not_the_steps_own_fault(past, words):
    told = ending(past, FOUR, asked=False)
    assert told.kind == "vanished"
    assert words in told.sentence


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (Past(3), "exit code 3"),
        (Past(139), "signal SIGSEGV"),
        (Past(134), "signal SIGABRT"),
        (Past(255), "exit code 255"),
        (Past(1, lacked_memory=True), "exit code 1 after a process of it was killed for memory at 4 GiB of 4 GiB"),
    ],
)
def test_a_crash_is_the_steps_own(past, words):
    assert ending(past, FOUR, asked=False) == Ending(
        "failed", f"Its process ended with {words}, before the step had a result."
    )


def test_every_exit_code_has_an_ending_with_a_sentence():
    for code in range(1, 256):
        told = ending(Past(code), Compute(), asked=False)
        assert told.sentence.endswith(".")


def test_a_process_of_a_step_that_goes_on_is_told_of():
    assert lacks_memory(FOUR).startswith("A process of the step was killed for memory at 4 GiB of 4 GiB")


def test_an_engine_that_stays_away_is_named():
    assert abandoned(601.2, "It is gone.") == Ending("vanished", "Its container is given up after 601 s. It is gone.")
