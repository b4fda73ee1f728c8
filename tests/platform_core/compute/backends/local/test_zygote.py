"""Real steps of a real zygote: whatever they do, it tells how they ended, and nothing of them is left."""

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from platform_core.compute.backends.local.cgroups import MemoryGroup
from platform_core.compute.backends.local.zygote import EXIT_RAISED
from tests.platform_core.compute.backends.local.zygotes import Served, eventually, is_alive, kill, written

MIB = 1 << 20
# Starts a process that is to end with the step, and writes its number to a file.
START_SLEEPER = """
import os, subprocess, time
sleeper = subprocess.Popen(["sleep", "60"], start_new_session={own_session})
with open(start.folder + "/.pid", "w") as file: file.write(str(sleeper.pid))
os.replace(start.folder + "/.pid", start.folder + "/pid")
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("steps"))
    yield served
    served.close()


def test_a_step_runs_in_a_process_and_a_session_of_its_own(serving: Served) -> None:
    assert serving.ending("import os; assert os.getsid(0) == os.getpid() != os.getppid()").kind == "finished"


def test_a_step_sees_its_variables_and_the_next_one_does_not(serving: Served) -> None:
    seen = "import os, sys; sys.exit(0 if os.environ.get('OF_ONE') == '1' else 9)"
    assert serving.ending(seen, variables={"OF_ONE": "1"}).kind == "finished"
    assert serving.ending(seen).sentence == "Its process ended with exit code 9, before the step had a result."


def test_what_a_step_keeps_in_memory_is_not_there_for_the_next(serving: Served) -> None:
    assert serving.ending("import sys; sys.kept = bytearray(80_000_000)").kind == "finished"
    assert serving.ending("import sys; assert not hasattr(sys, 'kept')").kind == "finished"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise ValueError('oh')", f"exit code {EXIT_RAISED}"),
        ("import sys; sys.exit(3)", "exit code 3"),
        ("import sys; sys.exit('why')", "exit code 1"),
        ("import os; os._exit(4)", "exit code 4"),
        ("import os; os.abort()", "signal SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "signal SIGSEGV"),
    ],
)
def test_a_crash_is_told_by_its_code_or_signal(serving: Served, code: str, told: str) -> None:
    ending = serving.ending(code)
    assert (ending.kind, ending.sentence) == ("failed", f"Its process ended with {told}, before the step had a result.")


def test_what_a_step_says_last_is_printed(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.ending("import sys; sys.exit('no more tea')")
    served.ending("raise ValueError('nor milk')")
    errors = served.close()
    assert "no more tea" in errors
    assert "ValueError: nor milk" in errors


def test_a_step_that_is_killed_from_outside_has_vanished(serving: Served) -> None:
    attempt = serving.start("import time; time.sleep(60)")
    kill(serving.news("running", attempt))
    ending = serving.news("ended", attempt)
    assert (ending.kind, ending.sentence[:36]) == ("vanished", "Its process was killed from outside:")


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
        "sum(range(10**12))",  # in C, where Python takes no signal
        "import subprocess; subprocess.run(['sleep', '60'])",
        "import threading; threading.Event().wait()",
    ],
)
def test_a_step_beyond_its_time_is_ended_whatever_it_is_doing(serving: Served, code: str) -> None:
    ending = serving.ending(code, timeout=0.2, grace=0.2)
    assert ending.kind == "timeout"
    assert ending.sentence == "It ran longer than 0.2 s: give it more with Compute(timeout=...), or do less."


def test_a_step_that_is_asked_to_end_may_clean_up(serving: Served) -> None:
    code = """
import signal, sys, time
def clean_up(*_):
    open(start.folder + "/clean", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, clean_up)
open(start.folder + "/ready", "w").close()
time.sleep(60)
"""
    attempt = serving.start(code, grace=30)
    serving.news("running", attempt)
    eventually((serving.folder / "ready").exists)
    serving.line.send(attempt.id)
    ending = serving.news("ended", attempt)
    assert (ending.kind, ending.sentence) == ("cancelled", "It was cancelled.")
    assert (serving.folder / "clean").exists()


def test_a_request_to_end_what_has_ended_is_passed_over(serving: Served) -> None:
    attempt = serving.start("pass")
    serving.news("running", attempt)
    serving.news("ended", attempt)
    serving.line.send(attempt.id)
    assert serving.ending("pass").kind == "finished"


ENDS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "finished": ("", {}),
    "vanished": ("os.kill(os.getpid(), 9)", {}),
    "timeout": ("time.sleep(60)", {"timeout": 2.0, "grace": 0.2}),  # long enough for it to start something
}


@pytest.mark.parametrize("own_session", [False, True])
@pytest.mark.parametrize("kind", ENDS)
def test_what_a_step_started_ends_with_it(serving: Served, own_session: bool, kind: str) -> None:
    serving.folder.joinpath("pid").unlink(missing_ok=True)
    last, more = ENDS[kind]
    assert serving.ending(START_SLEEPER.format(own_session=own_session) + last, **more).kind == kind
    sleeper = written(serving.folder / "pid")
    eventually(lambda: not is_alive(sleeper))


def test_what_other_steps_started_goes_on(serving: Served) -> None:
    serving.folder.joinpath("pid").unlink(missing_ok=True)
    orphan = "subprocess.run(['sh', '-c', 'setsid sleep 60 & echo $! > ' + start.folder + '/orphan'])"
    first = serving.start(START_SLEEPER.format(own_session=True) + orphan + "\ntime.sleep(60)")
    serving.news("running", first)
    sleeper, left = written(serving.folder / "pid"), written(serving.folder / "orphan")
    assert serving.ending("pass").kind == "finished"
    assert is_alive(sleeper)
    assert is_alive(left)
    serving.line.send(first.id)
    assert serving.news("ended", first).kind == "cancelled"
    eventually(lambda: not is_alive(sleeper) and not is_alive(left))


@pytest.fixture(scope="module", params=["kernel", "watcher"])
def holding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if request.param == "kernel":
        group = MemoryGroup.make("headrace-test-zygote", 64 * MIB)
        if group is None:
            pytest.skip("this user may make no control groups")
        group.remove()
    served = Served(tmp_path_factory.mktemp(request.param), holding=request.param)
    yield served
    served.close()


def test_a_step_beyond_its_memory_is_ended_with_what_it_held(holding: Served) -> None:
    ending = holding.ending("import time; x = bytearray(200_000_000); time.sleep(60)", memory=100 * MIB)
    assert ending.kind == "memory"
    assert ending.sentence.startswith("It was killed for memory at ")
    assert ending.sentence.endswith(" of 100 MiB: ask for more with Compute(memory=...).")


def test_the_memory_of_what_a_step_started_counts(holding: Served) -> None:
    child = "import time; x = bytearray(200_000_000); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert holding.ending(code, memory=100 * MIB).kind == "memory"


def test_a_burst_between_two_looks_is_ended_too(holding: Served) -> None:
    """Gigabytes that are there before anybody has looked: the step is told that there is no more, or killed."""
    assert holding.ending("x = bytearray(2_000_000_000)", memory=100 * MIB).kind == "memory"


def test_a_step_that_gets_no_more_memory_was_ended_for_it(holding: Served) -> None:
    assert holding.ending("raise MemoryError", memory=100 * MIB).kind == "memory"
    assert holding.ending("raise MemoryError").kind == "failed"  # it has no limit that it could have met


def test_a_step_within_its_memory_is_left_alone(holding: Served) -> None:
    code = "import time; x = bytearray(50_000_000); time.sleep(0.3)"
    assert holding.ending(code, memory=300 * MIB).kind == "finished"


@pytest.mark.parametrize(
    "code",
    [
        "import multiprocessing as m; p = m.get_context('fork').Process(target=print); p.start(); p.join()",
        "from concurrent.futures import ProcessPoolExecutor as P; assert [*P(2).map(abs, [-1])] == [1]",
        "from concurrent.futures import ThreadPoolExecutor as T; T(2).submit(print)",
        "import multiprocessing.dummy as m; m.Pool(2)",
    ],
)
def test_a_step_with_processes_and_threads_ends_in_order(serving: Served, code: str) -> None:
    assert serving.ending(code).kind == "finished"


def test_at_its_end_a_step_does_what_python_does_at_its_end(serving: Served) -> None:
    code = """
import atexit, threading, time
def note(what): open(start.folder + "/" + what, "w").close()
atexit.register(note, "at exit")
threading.Thread(target=lambda: (time.sleep(0.1), note("thread"))).start()
"""
    assert serving.ending(code).kind == "finished"
    assert (serving.folder / "at exit").exists()
    assert (serving.folder / "thread").exists()


def test_an_exit_function_that_raises_changes_nothing(serving: Served) -> None:
    assert serving.ending("import atexit; atexit.register(lambda: 1 / 0)").kind == "finished"


def test_a_hundred_steps_at_once_are_all_told_of(serving: Served) -> None:
    attempts = {serving.start("pass").id for _ in range(100)}
    told = [serving.line.recv() for _ in range(200)]
    assert {attempt for kind, attempt, _ in told if kind == "ended"} == attempts
    assert {content.kind for kind, _, content in told if kind == "ended"} == {"finished"}


def test_a_zygote_ends_when_its_run_worker_is_gone_and_its_steps_with_it(tmp_path: Path) -> None:
    served = Served(tmp_path)
    attempt = served.start("import time; time.sleep(60)")
    step = served.news("running", attempt)
    served.close()
    assert served.process.returncode == 0
    assert not is_alive(step)
    assert served.records.ending(attempt) is not None
    assert served.records.ending(attempt).sentence == "The process of its run ended."  # type: ignore[union-attr]


def test_steps_that_outlive_their_run_worker_end_in_order(tmp_path: Path) -> None:
    served = Served(tmp_path, outlive=True)
    attempt = served.start("import time; time.sleep(0.3)")
    late = served.start("import time; time.sleep(60)", timeout=0.5)
    served.news("running", attempt)
    served.news("running", late)
    served.close()
    ended = [served.records.ending(each) for each in (attempt, late)]
    assert [each and each.kind for each in ended] == ["finished", "timeout"]


def test_a_zygote_that_is_killed_leaves_its_steps_to_whoever_reads_the_records(tmp_path: Path) -> None:
    served = Served(tmp_path)
    attempt = served.start("import time; time.sleep(60)")
    step = served.news("running", attempt)
    served.process.kill()
    served.process.wait()
    assert served.records.pid(attempt) == step
    kill(step)
    eventually(lambda: served.records.pid(attempt) == 0)
    assert served.records.ending(attempt) is None


def test_interrupts_and_requests_from_a_terminal_do_not_reach_steps(serving: Served) -> None:
    attempt = serving.start("import time; time.sleep(0.3)")
    serving.news("running", attempt)
    os.kill(serving.process.pid, signal.SIGINT)
    assert serving.news("ended", attempt).kind == "finished"
