"""Steps on this machine: admitted as far as there is room, adopted by whoever launches them again."""

import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.local import backend as module
from platform_core.compute.backends.local.backend import UNSEEN, LocalBackend
from platform_core.compute.backends.local.records import Records
from platform_core.compute.backends.local.server import REFUSED
from platform_core.compute.backends.local.zygote import Start
from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import Compute
from tests.platform_core.compute.backends.local.zygotes import PATIENCE, eventually, is_alive
from tests.platform_core.processes import run_together

FINISHED = Ending("finished")


@dataclass
class FakeLines:
    """Zygotes that do nothing, and tell what the test says."""

    sent: list[tuple[str, Any]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    to_tell: list[tuple[str, Any]] = field(default_factory=list)

    def prepare(self) -> None: ...

    def open(self, interpreter: str, request: Callable[[], str], plan: str) -> None:
        self.opened.append(interpreter)

    def send(self, interpreter: str, what: Any) -> None:
        self.sent.append((interpreter, what))

    def news(self) -> Iterator[tuple[str, Any]]:
        while self.to_tell:
            yield self.to_tell.pop(0)

    @property
    def started(self) -> list[str]:
        return [what.attempt for _, what in self.sent if isinstance(what, Start)]


def backend_of(limits: Limits) -> tuple[LocalBackend, FakeLines]:
    lines = FakeLines()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Lines", lambda *_: lines)
        patch.setattr(module, "machine_limits", lambda: limits)
        return LocalBackend(lambda _: None), lines


def order(folder: Path | None, name: str, interpreter: str = "", payload: str = "pass", **compute: Any) -> Order:
    made = Compute(**compute)
    return Order(Attempt("run", name), made, Profile(), payload, folder=folder, interpreter=interpreter)


def ids(*orders: Order) -> list[str]:
    return [each.attempt.id for each in orders]


def test_what_there_is_room_for_is_started_and_the_rest_waits_in_order(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=2))
    a, b, c = (order(tmp_path, name) for name in "abc")
    assert backend.has_room
    backend.launch([a, b, c])
    assert lines.started == ids(a, b)
    assert not backend.has_room
    lines.to_tell.append(("", ("ended", b.attempt.id, FINISHED)))
    assert backend.changes() == [Change(b.attempt, "ended", ending=FINISHED)]
    assert lines.started == ids(a, b, c)
    assert backend.has_room


def test_memory_is_room_too(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=9, memory="4GiB"))
    a, b, c = order(tmp_path, "a", memory="3GiB"), order(tmp_path, "b", memory="2GiB"), order(tmp_path, "c")
    backend.launch([a, b, c])
    assert lines.started == ids(a)  # a step that would fit does not overtake one that waits for more


@given(st.lists(st.tuples(st.sampled_from([0.5, 1, 2, 4]), st.integers(1, 8)), max_size=20), st.data())
def test_the_machine_is_never_promised_twice_and_nothing_is_forgotten(
    needs: list[tuple[float, int]], data: st.DataObject
) -> None:
    backend, lines = backend_of(Limits(cpu=4, memory=8))
    orders = [
        order(Path("/nowhere"), str(number), cpu=cpu, memory=memory) for number, (cpu, memory) in enumerate(needs)
    ]
    running: dict[str, Order] = {}
    by_id = {each.attempt.id: each for each in orders}
    backend.launch(orders)
    told: list[Change] = []
    while new := lines.started[len(running) + len(told) :]:
        running.update({name: by_id[name] for name in new})
        while running:
            assert sum(each.compute.cpu for each in running.values()) <= 4
            assert sum(each.compute.memory_bytes or 0 for each in running.values()) <= 8
            name = data.draw(st.sampled_from(sorted(running)))
            del running[name]
            lines.to_tell.append(("", ("ended", name, FINISHED)))
            told += backend.changes()
            running.update({more: by_id[more] for more in lines.started[len(running) + len(told) :]})
    assert lines.started == ids(*orders)
    assert {change.attempt.id for change in told} == set(ids(*orders))


def test_launching_twice_finds_the_first(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=1))
    running, waiting = order(tmp_path, "a"), order(tmp_path, "b")
    for _ in range(2):
        backend.launch([running, waiting])
    Records(tmp_path).write_running(running.attempt.id, os.getpid())
    backend.launch([running])
    lines.to_tell.append(("", ("running", running.attempt.id, os.getpid())))
    lines.to_tell.append(("", ("ended", running.attempt.id, FINISHED)))
    assert [change.state for change in backend.changes()] == ["running", "ended"]
    assert lines.started == ids(running, waiting)


def test_what_waits_is_cancelled_without_being_started(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=1))
    a, b = order(tmp_path, "a"), order(tmp_path, "b")
    backend.launch([a, b])
    backend.terminate([b.attempt, Attempt("run", "unknown")])
    (change,) = backend.changes()
    assert (change.attempt, change.ending and change.ending.kind) == (b.attempt, "cancelled")
    backend.terminate([a.attempt])
    assert lines.sent[-1] == ("", a.attempt.id)


def test_a_location_that_cannot_be_loaded_ends_the_steps_of_its_interpreter(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=9))
    own, theirs = order(tmp_path, "a"), order(tmp_path, "b", interpreter="/venv/python")
    backend.launch([own, theirs])
    refused = Ending("refused", "The location cannot be loaded for its steps: no module named x")
    lines.to_tell.append(("/venv/python", (REFUSED, "", refused)))
    assert backend.changes() == [Change(theirs.attempt, "ended", ending=refused)]
    assert lines.opened == ["", "/venv/python"]


def test_a_step_gets_what_its_compute_says(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=9))
    backend.launch([order(tmp_path, "a", cpu=2, memory="1GiB", timeout="1min")])
    start = lines.sent[0][1]
    assert (start.cpu, start.memory, start.timeout, start.folder) == (2, 1 << 30, 60, str(tmp_path))
    assert start.variables["POLARS_MAX_THREADS"] == "2"


def test_a_step_without_a_folder_is_a_mistake_of_ours() -> None:
    backend, _ = backend_of(Limits())
    with pytest.raises(ValueError, match="needs a folder"):
        backend.launch([order(None, "a")])


def test_what_has_ended_already_is_told_and_not_started(tmp_path: Path) -> None:
    backend, lines = backend_of(Limits(cpu=1))
    ended = order(tmp_path, "a")
    Records(tmp_path).write_ended(ended.attempt.id, FINISHED)
    backend.launch([ended])
    assert backend.changes() == [Change(ended.attempt, "ended", ending=FINISHED)]
    assert backend.changes() == []
    assert lines.started == []


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A step of an earlier run worker, which takes no notice of requests to end."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with subprocess.Popen(["python3", "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_what_still_runs_is_adopted_and_takes_up_room(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    backend, lines = backend_of(Limits(cpu=1))
    adopted, next_one = order(tmp_path, "a"), order(tmp_path, "b")
    Records(tmp_path).write_running(adopted.attempt.id, sleeper.pid)
    backend.launch([adopted, next_one])
    assert (backend.changes(), lines.started) == ([], [])
    Records(tmp_path).write_ended(adopted.attempt.id, FINISHED)
    sleeper.kill()
    sleeper.wait()
    assert backend.changes() == [Change(adopted.attempt, "ended", ending=FINISHED)]
    assert lines.started == ids(next_one)


def test_an_adopted_step_that_nobody_saw_end_has_vanished(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    backend, _ = backend_of(Limits(cpu=1))
    adopted = order(tmp_path, "a")
    Records(tmp_path).write_running(adopted.attempt.id, sleeper.pid)
    backend.launch([adopted])
    sleeper.kill()
    sleeper.wait()
    assert backend.changes() == []  # its zygote may be about to write it down
    assert eventually(backend.changes) == [Change(adopted.attempt, "ended", ending=UNSEEN)]


def test_an_adopted_step_that_does_not_end_when_asked_is_ended_by_force(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    backend, _ = backend_of(Limits(cpu=1))
    backend._grace = 0.2
    adopted = order(tmp_path, "a")
    Records(tmp_path).write_running(adopted.attempt.id, sleeper.pid)
    backend.launch([adopted])
    backend.terminate([adopted.attempt])
    assert backend.changes() == []
    assert is_alive(sleeper.pid)

    def is_gone() -> bool:
        backend.changes()
        return sleeper.poll() is not None

    eventually(is_gone)


def test_steps_of_a_zygote_that_is_gone_are_watched_by_their_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    backend, lines = backend_of(Limits(cpu=9))
    begun, never = order(tmp_path, "a"), order(tmp_path, "b")
    elsewhere = order(tmp_path, "c", interpreter="/venv/python")
    backend.launch([begun, never, elsewhere])
    Records(tmp_path).write_running(begun.attempt.id, os.getpid())
    lines.to_tell.append(("", None))
    time.sleep(0.01)
    found = [*backend.changes(), *backend.changes()]
    assert found == [Change(never.attempt, "ended", ending=UNSEEN)]


# With real processes, each scene in one of its own that can be forked


def _executing(start: Start) -> None:
    exec(start.payload, {"start": start})


def _until_ended(backend: LocalBackend, *orders: Order) -> list[str]:
    """The kinds of the endings of orders, in their order."""
    found: dict[Attempt, str] = {}
    end = time.monotonic() + PATIENCE
    while len(found) < len(orders):
        assert time.monotonic() < end, found
        select.select([backend], [], [], 0.1)
        found |= {change.attempt: change.ending.kind for change in backend.changes() if change.ending}
    return [found[each.attempt] for each in orders]


def _steps_run_and_are_cancelled(folder: Path) -> None:
    backend = LocalBackend(_executing, grace=0.2)
    good, bad = order(folder, "a", cpu=0.1), order(folder, "b", cpu=0.1, payload="raise SystemExit(3)")
    long = order(folder, "c", cpu=0.1, payload="import time; time.sleep(60)")
    backend.launch([good, bad, long])
    assert _until_ended(backend, good, bad) == ["finished", "failed"]
    backend.terminate([long.attempt])
    assert _until_ended(backend, long) == ["cancelled"]
    backend.close()


def _begin(folder: Path, payload: str) -> Order:
    """What a run worker leaves behind that dies while its step runs."""
    step = order(folder, "a", payload=payload)
    if os.fork() == 0:
        backend = LocalBackend(_executing, outlive=True)
        backend.launch([step])
        eventually(lambda: Records(folder).pid(step.attempt))
        os.kill(os.getpid(), 9)
    os.wait()
    return step


def _a_step_is_adopted_and_not_started_twice(folder: Path) -> None:
    step = _begin(folder, "import time; open(start.folder + '/starts', 'a').write('x'); time.sleep(0.5)")
    later = LocalBackend(_executing)
    later.launch([step])
    assert _until_ended(later, step) == ["finished"]
    assert (folder / "starts").read_text() == "x"
    later.close()


def _an_adopted_step_can_be_cancelled(folder: Path) -> None:
    step = _begin(folder, "import time; time.sleep(60)")
    later = LocalBackend(_executing)
    later.launch([step])
    pid = Records(folder).pid(step.attempt)
    later.terminate([step.attempt])
    assert _until_ended(later, step) == ["failed"]  # its zygote does not know who asked it to end
    assert pid
    assert not is_alive(pid)
    later.close()


@pytest.mark.parametrize(
    "scene",
    [_steps_run_and_are_cancelled, _a_step_is_adopted_and_not_started_twice, _an_adopted_step_can_be_cancelled],
    ids=lambda scene: scene.__name__.strip("_"),
)
def test_with_real_processes(scene: Callable[[Path], None], tmp_path: Path) -> None:
    assert run_together(scene, [(tmp_path,)]) == [0]
