"""What is on disk of an attempt tells a later run worker whether it still runs and how it ended."""

import os
import subprocess
from pathlib import Path

from platform_core.compute.attempts import Attempt, Ending
from platform_core.compute.backends.local.records import Records

ATTEMPT = Attempt("run", "flights")


def test_of_an_attempt_that_was_never_started_nothing_is_known(tmp_path: Path) -> None:
    assert Records(tmp_path).pid(ATTEMPT) is None
    assert Records(tmp_path).ending(ATTEMPT) is None


def test_an_attempt_runs_as_long_as_its_process(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    Records(tmp_path).write_running(ATTEMPT.id, process.pid)
    assert Records(tmp_path).pid(ATTEMPT) == process.pid
    process.kill()
    process.wait()
    assert Records(tmp_path).pid(ATTEMPT) == 0


def test_an_attempt_that_ended_before_it_was_written_down_does_not_run(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    Records(tmp_path).write_running(ATTEMPT.id, process.pid)
    assert Records(tmp_path).pid(ATTEMPT) == 0


def test_another_process_with_the_same_number_is_another(tmp_path: Path) -> None:
    (tmp_path / f"{ATTEMPT.id}.running").write_text(f'{{"pid": {os.getpid()}, "started": 1}}')
    assert Records(tmp_path).pid(ATTEMPT) == 0


def test_an_ending_is_read_as_it_was_written(tmp_path: Path) -> None:
    ending = Ending("memory", "It was killed for memory at 4 GiB of 4 GiB.", "größe\n")
    Records(tmp_path).write_ended(ATTEMPT.id, ending)
    assert Records(tmp_path).ending(ATTEMPT) == ending
    assert Records(tmp_path).ending(Attempt("run", "flights", 2)) is None


def test_nothing_but_records_is_left_in_the_folder(tmp_path: Path) -> None:
    for _ in range(2):
        Records(tmp_path).write_ended(ATTEMPT.id, Ending("finished"))
    assert [path.name for path in tmp_path.iterdir()] == [f"{ATTEMPT.id}.ended"]
