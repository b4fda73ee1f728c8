"""Before the first step of a run: whether anything starts in the images that people named."""

import time
from collections.abc import Generator, Iterator

import dagster as dg

from platform_core.compute.attempts import Attempt, Change, Ending
from platform_core.compute.flights import Flight, Tower
from platform_core.compute.foreign import explained
from platform_core.compute.pool import BackendPool
from platform_core.compute.voice import Voice
from platform_core.dagster_internals import ActiveExecution, ExecutionPlan
from platform_core.errors import DefinitionError

LONGEST = 300.0  # seconds for fetching and trying all images; what is not known by then stops nothing
_PAUSE = 0.5


class Examination:
    """Starts a worker that has nothing to do in each image, all at once, and hears which of them refuse."""

    def __init__(self, pool: BackendPool, tower: Tower, voice: Voice, active: ActiveExecution) -> None:
        self._pool = pool
        self._tower = tower
        self._voice = voice
        self._active = active
        self._trials: dict[Attempt, Flight] = {}
        self._refusals: list[str] = []

    def events(self, plan: ExecutionPlan) -> Generator[dg.DagsterEvent, None, bool]:
        """Tells what is waited for; returns whether the run was interrupted meanwhile.

        Raises:
            DefinitionError: a sentence for each image in which no step of this run could start.
        """
        for flight in self._tower.trials(plan, self._pool):
            yield self._start(flight)
        interrupted = yield from self._listen()
        self._pool.terminate(self._trials)
        if self._refusals:
            raise DefinitionError(" ".join(sorted(self._refusals)))
        return interrupted

    def _start(self, flight: Flight) -> dg.DagsterEvent:
        self._trials[flight.attempt] = flight
        self._pool.launch(flight.placement.backend, [self._tower.trial(flight)])
        image = flight.placement.compute.image
        return self._voice.say(flight.task.step, f"Whether it can start in the image {image} is tried before any step.")

    def _listen(self) -> Generator[dg.DagsterEvent, None, bool]:
        end = time.monotonic() + LONGEST
        while self._trials and time.monotonic() < end:
            if self._active.check_for_interrupts():
                return True
            for change in self._pool.changes():
                yield from self._note(change)
            if self._trials:
                self._pool.wait(min(_PAUSE, end - time.monotonic()))
        return False

    def _note(self, change: Change) -> Iterator[dg.DagsterEvent]:
        flight = self._trials[change.attempt]
        if change.ending:
            del self._trials[change.attempt]
            self._judge(flight, change.ending)
        elif change.state == "waiting":
            yield self._voice.say(flight.task.step, change.sentence)

    def _judge(self, flight: Flight, ending: Ending) -> None:
        ending = explained(ending, flight.placement)
        if ending.kind == "refused":
            self._refusals.append(ending.sentence)
