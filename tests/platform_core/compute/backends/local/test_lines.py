"""A run worker and its zygotes: forked or served, gone or there."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from platform_core.compute.backends.local import lines as module
from platform_core.compute.backends.local.lines import OWN, Lines
from platform_core.compute.backends.local.zygote import Start, Zygote
from platform_core.compute.processes import PROC
from tests.platform_core.compute.backends.local.zygotes import PATIENCE, eventually, is_alive
from tests.platform_core.processes import run_together

# What is forked must be a process without threads, which the tests' own may not be.


def apart(scene: Callable[[Path], None], folder: Path) -> None:
    assert run_together(scene, [(folder,)]) == [0]


def start(folder: Path, code: str, name: str = "a") -> Start:
    return Start(name, code, str(folder), cpu=1, memory=None, timeout=None, grace=1, variables={})


def executing(start: Start) -> None:
    exec(start.payload, {"start": start})


def no_request() -> str:
    raise AssertionError("a forked zygote needs no request")


def told(lines: Lines, count: int) -> list[Any]:
    found: list[Any] = []
    end = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < end, found
        found += lines.news()
        time.sleep(0.01)
    return found


def parent_of(pid: int) -> int:
    return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


def opened(outlive: bool = False) -> Lines:
    lines = Lines(executing, outlive, sys.executable)
    lines.prepare()
    lines.open(OWN, no_request)
    return lines


def _a_step_is_started_and_told_of(folder: Path) -> None:
    lines = opened()
    lines.send(OWN, start(folder, "pass"))
    (first, running), (second, ended) = told(lines, 2)
    assert (first, second) == (OWN, OWN)
    assert (running[:2], ended[:2], ended[2].kind) == (("running", "a"), ("ended", "a"), "finished")
    lines.close()


def _no_child_is_left_to_wait_for(_folder: Path) -> None:
    opened()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def _a_zygote_that_is_killed_is_told_of_once_and_can_be_had_anew(folder: Path) -> None:
    lines = opened()
    lines.send(OWN, start(folder, "import time; time.sleep(60)"))
    ((_, (_, _, step)),) = told(lines, 1)
    os.kill(parent_of(step), 9)
    assert told(lines, 1) == [(OWN, None)]
    os.kill(step, 9)
    lines.send(OWN, "a")  # nobody is there to hear it
    assert list(lines.news()) == []
    lines.open(OWN, no_request)
    lines.send(OWN, start(folder, "pass", "b"))
    assert [what[1] for _, what in told(lines, 2)] == ["b", "b"]
    lines.close()


def _a_zygote_that_fails_ends_and_does_not_go_on_as_a_second_run_worker(folder: Path) -> None:
    def broken(_zygote: Zygote) -> None:
        raise OSError("no space left")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Zygote, "serve", broken)
        lines = Lines(executing, False, sys.executable)
        try:
            lines.prepare()
        finally:  # where a run worker would tell of the failure of its run
            (folder / f"{os.getpid()}.told").touch()
    assert told(lines, 1) == [(OWN, None)]
    assert [path.name for path in folder.iterdir()] == [f"{os.getpid()}.told"]


def _closing_ends_the_zygote(folder: Path) -> None:
    lines = opened()
    lines.send(OWN, start(folder, "import os; raise SystemExit(os.getppid() % 200 + 1)"))
    (_, (_, _, pid)), (_, (_, _, ending)) = told(lines, 2)
    lines.close()
    assert ending.kind == "failed"
    eventually(lambda: not is_alive(pid))


def _steps_that_outlive_go_on_when_the_line_is_closed(folder: Path) -> None:
    lines = opened(outlive=True)
    lines.send(OWN, start(folder, "import time; time.sleep(0.3); open(start.folder + '/done', 'w').close()"))
    told(lines, 1)
    lines.close()
    eventually((folder / "done").exists)
    eventually((folder / "a.ended").exists)


def _with_threads_it_is_served(_folder: Path) -> None:
    served: list[tuple[str, Mapping[str, Any]]] = []

    def serve(_line: Any, interpreter: str, service: Mapping[str, Any]) -> None:
        served.append((interpreter, service))

    ended = threading.Event()
    threading.Thread(target=ended.wait).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "start_server", serve)
        lines = Lines(executing, False, sys.executable)
        lines.prepare()
        assert served == []  # of what a step is, nothing is known yet
        lines.open(OWN, lambda: "a request", "a plan of this very environment")
        lines.open(OWN, no_request)
        lines.open("/other/python", lambda: "another", "a plan")
    lines.close()
    ended.set()
    assert served == [
        (sys.executable, {"request": "a request", "outlive": False, "plan": ""}),
        (sys.executable, {"request": "another", "outlive": False, "plan": "a plan"}),
    ]


@pytest.mark.parametrize(
    "scene",
    [
        _a_step_is_started_and_told_of,
        _no_child_is_left_to_wait_for,
        _a_zygote_that_is_killed_is_told_of_once_and_can_be_had_anew,
        _a_zygote_that_fails_ends_and_does_not_go_on_as_a_second_run_worker,
        _closing_ends_the_zygote,
        _steps_that_outlive_go_on_when_the_line_is_closed,
        _with_threads_it_is_served,
    ],
    ids=lambda scene: scene.__name__.strip("_"),
)
def test_lines(scene: Callable[[Path], None], tmp_path: Path) -> None:
    apart(scene, tmp_path)
