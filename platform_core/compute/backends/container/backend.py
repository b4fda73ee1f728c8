"""`ContainerBackend`: a container for every attempt, in an engine that speaks Docker's API."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from platform_core.compute.attempts import Attempt, Change, Ending, Kind, Order
from platform_core.compute.backends.backend import Backend, Leftover, require
from platform_core.compute.backends.container.endings import CANCELLED, abandoned, lacks_memory
from platform_core.compute.backends.container.lives import Life, Lives
from platform_core.compute.backends.container.options import Options
from platform_core.compute.backends.container.places import EngineAway, engine_address
from platform_core.compute.backends.container.settling import settled
from platform_core.compute.backends.container.specification import FORCE_AFTER
from platform_core.compute.backends.container.starting import Starter
from platform_core.compute.backends.container.stopping import Stopper
from platform_core.compute.backends.container.watching import Watcher
from platform_core.compute.profiles import Limits, Profile
from platform_core.compute.spec import BackendName
from platform_core.compute.worker import DEFAULT_GRACE
from platform_core.errors import HeadraceError

if TYPE_CHECKING:
    from platform_core.compute.backends.container.engine import Engine

_THREADS = 8  # for calls that take the engine a moment, such as starting a container
_ENDINGS = ("die", "died", "destroy", "remove")  # Docker's words and Podman's


class ContainerBackend(Backend):
    """Steps as containers of the Docker or Podman engine at `DOCKER_HOST`.

    Args:
        image: the image of steps whose `Compute` names none.
        engine: the address of the engine, such as `tcp://builder:2376`. Empty: that of `DOCKER_HOST`, or else the
            socket where Docker or Podman listens on this machine.
        mounts: `host:container[:ro]`, the folders that every step sees, such as that of a store on disk.
        python: the interpreter in the images.
        grace: seconds that a step has to end in order once it was asked to.
        patience: seconds for which an engine that was there may be away before its steps are given up.
        limits: the most that one step may ask for; the engine's machine is a limit anyway.
        options: what `Profile.options` may say too, for all steps; see `Options`.

    Raises:
        DefinitionError: there is no such option or mount.
    """

    name: ClassVar[BackendName] = "container"

    def __init__(
        self,
        image: str = "",
        *,
        engine: str = "",
        mounts: Sequence[str] = (),
        python: str = "python",
        grace: float = DEFAULT_GRACE,
        patience: float = 600,
        limits: Limits | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        require("docker", self.name)
        self._image, self._address, self._python = image, engine, python
        self._grace, self._patience = grace, patience
        self._limits = limits or Limits()
        self._options = Options(volumes=tuple(mounts)).changed(options or {})
        self._lives = Lives(lambda: self.wake())
        self._pool = ThreadPoolExecutor(_THREADS, "headrace-containers")
        self._removals: list[Future[None]] = []
        self._closed = threading.Event()
        self._opening = threading.Lock()
        self._opened: _Session | None = None

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def image(self) -> str:
        return self._image

    @property
    def tries_images(self) -> bool:
        return True

    def sweep(self, now: float, profiles: Iterable[Profile] = (), *, dry_run: bool = False) -> Sequence[Leftover]:  # noqa: ARG002
        with closing(_engine(engine_address(self._address, os.environ))) as engine:
            found = [Leftover(name, runs) for name, runs in engine.overdue(now).items()]
            for left in found:
                if not left.runs and not dry_run:
                    engine.remove(left.name)
        return found

    def launch(self, orders: Sequence[Order]) -> None:
        for order in orders:
            if life := self._lives.add(order):
                self._submit(self._start, life)

    def changes(self) -> Sequence[Change]:
        # Whoever asks again has dealt with what was told before, so that nobody will look for those containers.
        self._clear(self._lives.told())
        return self._lives.news()

    def terminate(self, attempts: Collection[Attempt]) -> None:
        for attempt in attempts:
            life = self._lives.get(attempt.id)
            if life is not None and life.state != "ended":
                life.asked = True  # before the state is read: a start that is going on reads them the other way round
                self._stop(life)

    def close(self) -> None:
        self._clear(self._lives.told())
        self._closed.set()
        wait(self._removals, timeout=10)
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._opened:
            self._opened.close()

    # What follows happens in other threads than the executor's.

    def _submit(self, work: Callable[[Life], None], life: Life) -> "Future[None] | None":
        """Has some work done in another thread; nothing is done any more once this is closed."""
        try:
            return None if self._closed.is_set() else self._pool.submit(self._guarded, work, life)
        except RuntimeError:
            return None  # closed between the question and the answer, or the whole process is ending

    def _guarded(self, work: Callable[[Life], None], life: Life) -> None:
        """Does some work; a failure of it ends the attempt, because the executor would otherwise wait for ever."""
        try:
            work(life)
        except HeadraceError as error:
            # An engine that cannot say any more what became of what it ran has lost it.
            kind: Kind = "refused" if life.state == "starting" else "vanished"
            self._lives.end(life, CANCELLED if life.asked else Ending(kind, str(error)))
        except Exception as error:
            reason = f"The platform failed to run it as a container: {type(error).__name__}: {error}."
            self._lives.end(life, Ending("vanished", reason))

    def _start(self, life: Life) -> None:
        with life.lock:
            self._reach_engine_and_start(life)
            if self._closed.is_set():
                return
            if not life.owned:
                return self._lives.end(life, CANCELLED)
            life.state = "running"
            if life.unwatched:
                self._settle(life)
            self._tell_that_it_runs(life)

    def _tell_that_it_runs(self, life: Life) -> None:
        if life.state == "running":
            self._lives.tell(life, "running", f"It runs as the container {life.name}.")
        if life.asked:
            self._stop(life)

    def _reach_engine_and_start(self, life: Life) -> None:
        """Starts an attempt; an engine that was there before is waited for."""
        session = self._session()
        end = time.monotonic() + self._patience
        while not self._closed.is_set():
            try:
                return session.starter.start(life)
            except EngineAway as error:
                if life.asked or time.monotonic() > end:
                    raise
                self._lives.wait(life, f"{error} It waits for the engine.")
                self._closed.wait(1)

    def _settle(self, life: Life) -> None:
        """Tells how an attempt ended, if it did."""
        with life.lock:
            if life.state != "running":
                return
            try:
                ending = settled(self._session().engine, life)
            except EngineAway:
                return  # the watcher lists all containers once the engine is back
            if ending is not None:
                self._tell_end(life, ending)

    def _tell_end(self, life: Life, ending: Ending) -> None:
        if ending.kind == "finished" and life.lacked_memory:
            self._lives.tell(life, "running", lacks_memory(life.order.compute))
        self._lives.end(life, ending)

    def _stop(self, life: Life) -> None:
        if life.state == "running" and self._opened:
            self._opened.stopper.stop(life)

    def _clear(self, lives: Iterable[Life]) -> None:
        """Removes the containers of attempts that nobody needs to hear of any more."""
        self._removals = [removal for removal in self._removals if not removal.done()]
        submitted = [self._submit(self._remove, life) for life in lives if life.owned]
        self._removals += [removal for removal in submitted if removal is not None]

    def _remove(self, life: Life) -> None:
        try:
            self._session().engine.remove(life.name)
        except EngineAway:
            life.given_up = True  # removed when the engine is back

    def _listed(self, containers: Mapping[str, bool]) -> None:
        for life in self._lives:
            if life.state == "running" and not containers.get(life.name):
                self._submit(self._settle, life)
            if life.given_up and life.name in containers:
                life.given_up = False
                self._submit(self._remove, life)

    def _happened(self, name: str, what: str, signal: str) -> None:
        life = self._lives.get(name)
        if life is None:
            return
        if what in _ENDINGS:
            self._submit(self._settle, life)
        if what == "oom":
            life.lacked_memory = True
        if what == "kill" and not life.asked:
            life.signals += (signal,)

    def _unreachable(self, seconds: float, reason: str) -> None:
        for life in self._lives:
            if life.state != "running":
                continue
            life.unwatched = True
            if seconds > self._patience:
                life.given_up = True
                self._lives.end(life, abandoned(seconds, reason))

    def _session(self) -> "_Session":
        """The connection to the engine, made when it is first needed."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> "_Session":
        engine = _engine(engine_address(self._address, os.environ))
        size = engine.size()  # it answers, or nothing is begun
        starter = Starter(engine, size, self._image, self._options, self._python, self._grace, self._lives.wait)
        stopper = Stopper(engine, self._grace + FORCE_AFTER)
        watcher = Watcher(engine, self._listed, self._happened, self._unreachable)
        session = _Session(engine, starter, stopper, watcher)
        session.start()
        return session


class _Session:
    """Everything that lives as long as the connection to an engine."""

    def __init__(self, engine: "Engine", starter: Starter, stopper: Stopper, watcher: Watcher) -> None:
        self.engine = engine
        self.starter = starter
        self.stopper = stopper
        self._watcher = watcher

    def start(self) -> None:
        self.stopper.start()
        self._watcher.start()

    def close(self) -> None:
        self.stopper.close()
        self._watcher.close()
        self.engine.close()


def _engine(address: str) -> "Engine":
    from platform_core.compute.backends.container.engine import Engine

    return Engine(address)
