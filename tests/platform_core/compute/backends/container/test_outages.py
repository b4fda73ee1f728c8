"""An engine that goes away and comes back while steps run, as it looks from here: through a line that is cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.platform_core.compute.backends.container.orders import an_order
from tests.platform_core.compute.support.images import need_engine

SLEEP = "import time\ntime.sleep({})\nprint('done')\nos._exit({})"


class Line:
    """A socket that passes everything on to the engine's own, until it is cut."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.path = folder / "line.sock"
        self._engine = engine.removeprefix("unix://")
        self._pipes: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.mend()

    def mend(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener
        for end in (self._listener, *self._pipes):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._pipes.clear()
        self.path.unlink()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._engine)
                self._pipes += (here, there)
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    address = need_engine()
    if not address.startswith("unix://"):
        pytest.skip("the engine at DOCKER_HOST listens at no socket of this machine")
    made = Line(tmp_path, address)
    yield made
    with suppress(OSError):
        made.cut()


def test_what_ended_while_the_engine_was_away_is_told_once_it_is_back(line, new_backend, engine):
    heard = new_backend(engine=f"unix://{line.path}")
    ends, killed, removed, goes_on = (
        an_order(SLEEP.format(seconds, code), step=step)
        for step, seconds, code in (("ends", 2, 0), ("killed", 99, 0), ("removed", 99, 0), ("goes_on", 6, 3))
    )
    heard.launch(ends, killed, removed, goes_on)
    for order in (ends, killed, removed, goes_on):
        heard.until_running(order)
    line.cut()
    engine.kill(killed.attempt.id)
    engine.remove_container(removed.attempt.id, force=True)
    engine.wait(ends.attempt.id)
    line.mend()
    assert heard.ending(ends).kind == "finished"
    assert heard.ending(killed).kind == heard.ending(removed).kind == "vanished"
    assert heard.ending(removed).sentence == "Its container was removed from outside while it ran."
    assert (heard.ending(goes_on).kind, heard.ending(goes_on).log) == ("failed", "done\n")


def test_a_launch_waits_for_an_engine_that_was_there_before(line, new_backend, engine):
    heard = new_backend(engine=f"unix://{line.path}")
    assert heard.end_of("print(1)", step="first").kind == "finished"
    line.cut()
    order = an_order("print(2)", step="second")
    heard.launch(order)
    heard.until(lambda: "waiting" in heard.states(order))
    line.mend()
    assert heard.ending(order).kind == "finished"
    assert heard.states(order) == ["waiting", "running", "ended"]


def test_an_engine_that_stays_away_is_given_up_and_what_it_ran_is_removed_later(line, new_backend, engine):
    heard = new_backend(engine=f"unix://{line.path}", patience=1)
    order = an_order(SLEEP.format(99, 0))
    heard.launch(order)
    heard.until_running(order)
    line.cut()
    assert heard.ending(order).kind == "vanished"
    assert "Its container is given up after" in heard.ending(order).sentence
    assert engine.inspect_container(order.attempt.id)["State"]["Running"]
    line.mend()
    heard.until(lambda: not engine.containers(all=True, filters={"name": order.attempt.id}))


def test_closing_leaves_no_thread_and_lets_steps_run(new_backend, engine):
    of_others = set(threading.enumerate())  # closed backends may still wait for an engine that is busy
    heard = new_backend()
    order = an_order(SLEEP.format(99, 0))
    heard.launch(order)
    heard.until_running(order)
    heard.backend.close()
    ours = [thread for thread in set(threading.enumerate()) - of_others if "headrace-containers" in thread.name]
    assert ours
    for thread in ours:
        thread.join(60)
    assert not [thread for thread in ours if thread.is_alive()]
    assert engine.inspect_container(order.attempt.id)["State"]["Running"]
