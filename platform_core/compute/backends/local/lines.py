"""The connections of a run worker to its zygotes: one for each interpreter that its steps run with."""

import os
import selectors
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from platform_core.compute.backends.local.server import start_server
from platform_core.compute.backends.local.threads import threads_in_the_way
from platform_core.compute.backends.local.zygote import Execute, Zygote

OWN = ""  # the interpreter of the run worker itself


class Lines:
    """Starts zygotes and talks to them.

    Args:
        execute: what a forked process does with a step.
        outlive: whether steps go on when this process dies.
        interpreter: this process's own, for a server in place of a fork.
    """

    def __init__(self, execute: Execute, outlive: bool, interpreter: str) -> None:
        self._execute = execute
        self._outlive = outlive
        self._interpreter = interpreter
        self._selector = selectors.EpollSelector()
        self._lines: dict[str, Connection] = {}

    def fileno(self) -> int:
        """Readable when a zygote has news, or is gone."""
        return self._selector.fileno()

    def prepare(self) -> None:
        """Forks a zygote while no thread is in the way."""
        if not threads_in_the_way():
            self._add(OWN, self._fork())

    def open(self, interpreter: str, request: Callable[[], str], plan: str = "") -> None:
        """Makes sure that there is a zygote; `request` is of any step of the run, `plan` of the interpreter's venv."""
        if interpreter in self._lines:
            return
        # A copy of a process with threads is none: whatever they held stays held.
        forks = interpreter == OWN and not threads_in_the_way()
        self._add(interpreter, self._fork() if forks else self._serve(interpreter, request(), plan))

    def _add(self, interpreter: str, line: Connection) -> None:
        self._lines[interpreter] = line
        self._selector.register(line, selectors.EVENT_READ, interpreter)

    def send(self, interpreter: str, what: Any) -> None:
        """Tells a zygote something, if it is there to hear it; that it is gone is told by `news`."""
        with suppress(KeyError, ConnectionError):
            self._lines[interpreter].send(what)

    def news(self) -> Iterator[tuple[str, Any]]:
        """What zygotes have told, each with its interpreter; None for one that is gone."""
        for key, _ in self._selector.select(0):
            line, interpreter = self._lines[key.data], str(key.data)
            try:
                while line.poll():
                    yield interpreter, line.recv()
            except (EOFError, ConnectionError):
                self._selector.unregister(line)
                line.close()
                del self._lines[interpreter]
                yield interpreter, None

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
        self._selector.close()

    def _fork(self) -> Connection:
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._be_a_zygote(theirs)
        os.waitpid(pid, 0)
        theirs.close()
        return ours

    def _be_a_zygote(self, line: Connection) -> None:
        """Never returns, whatever happens: a copy must not go on with what the run worker was about to do."""
        try:
            os.setsid()  # a terminal's Ctrl-C is for the run worker, which asks steps to end in order
            if os.fork() == 0:  # a grandchild: nobody has to wait for it
                Zygote(line, self._execute, self._outlive).serve()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)

    def _serve(self, interpreter: str, request: str, plan: str) -> Connection:
        """A server in this process's own interpreter, which goes on in another one where there is one."""
        ours, theirs = Pipe()
        service = {"request": request, "outlive": self._outlive, "plan": plan if interpreter else ""}
        start_server(theirs, self._interpreter, service)
        theirs.close()
        return ours
