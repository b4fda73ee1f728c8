"""What follows for a run: from a step that is ready, from an outcome that was told, from a process that was lost."""

from collections.abc import Iterator, Sequence

import dagster as dg

from platform_core.compute.attempts import Ending
from platform_core.compute.departures import Departures, Task
from platform_core.compute.fan_out import SWEEP_TAG, FanOut, fan_out_of
from platform_core.compute.flights import LOST, Flight, Tower
from platform_core.compute.foreign import explained
from platform_core.compute.placement import Placement
from platform_core.compute.pool import BackendPool
from platform_core.compute.retelling import OUTCOME, PARTITION, Kind, Outcome
from platform_core.compute.spec import compute_of
from platform_core.compute.verdict import judge
from platform_core.compute.voice import Voice
from platform_core.dagster_internals import ActiveExecution, ExecutionStep, PlanOrchestrationContext
from platform_core.errors import HeadraceError

Events = Iterator[dg.DagsterEvent]
_UNEXPLAINED = ("vanished", "finished", "failed")
_MOST_OF_A_LINE = 300  # characters


class Consequences:
    """Decides, writes the events that say so, and lets start what is to start."""

    def __init__(
        self,
        context: PlanOrchestrationContext,
        active: ActiveExecution,
        *,
        pool: BackendPool,
        tower: Tower,
        voice: Voice,
        departures: Departures,
    ) -> None:
        self.fans: dict[str, FanOut] = {}  # the steps whose partitions run side by side at present
        self._context = context
        self._active = active
        self._pool = pool
        self._tower = tower
        self._voice = voice
        self._departures = departures

    def of_readiness(self, step: ExecutionStep) -> Events:
        """Lets a step wait for room where it belongs; one that belongs nowhere fails at once."""
        task = Task(step)
        try:
            placement = self._tower.place(task, self._pool)
        except HeadraceError as error:
            yield from self._give_up(step, str(error))
            return
        if fan := self.fan_of(step, placement):
            self.fans[step.key] = fan
            flight = self._tower.next_flight(task, placement)
            yield self._voice.place(step, *self._tower.announcement(flight, fan))
            yield self._voice.start(step)
            yield from self._advance(fan)
        else:
            self._departures.hold(task, placement.backend)

    def fan_of(self, step: ExecutionStep, placement: Placement) -> FanOut | None:
        """What a step takes side by side: the trials of a sweep, or partitions; None when it is one task."""
        if SWEEP_TAG in self._context.dagster_run.tags:
            from platform_core.compute.sweep_fan import sweep_fan_of  # which speaks SQL

            return sweep_fan_of(self._context, step, placement)
        return fan_out_of(self._context, step)

    def of_memory(self, fan: FanOut, outcomes: Sequence[Outcome]) -> Events:
        """Goes on with a step of many partitions of which an earlier run worker was told some outcomes."""
        self.fans[fan.step.key] = fan
        fan.remember(outcomes)
        yield from self._advance(fan)

    def decide(self, task: Task, outcome: Outcome) -> Events:
        """Goes on after the outcome of one partition, or of a step whose failure does not stop the run."""
        fan = self.fans.get(task.step.key)
        if fan is None:
            yield from self._voice.skip(task.step, outcome.sentence)
        elif outcome.kind == "retry":
            fan.tries[task.partition] += 1
            backend = self._tower.place(task, self._pool).backend
            self._departures.hold_for(task, backend, outcome.delay)
        else:
            fan.settle(outcome)
            yield from self._advance(fan)

    def _advance(self, fan: FanOut) -> Events:
        """Starts what a step of many partitions may start now, or tells its end."""
        for partition in fan.startable():
            task = Task(fan.step, partition)
            self._departures.hold(task, self._tower.place(task, self._pool).backend)
        if not fan.is_complete:
            return
        del self.fans[fan.step.key]
        if fan.note:
            yield self._voice.say(fan.step, *fan.note)
        if fan.failure:
            yield from self._give_up(fan.step, fan.failure)
        else:
            yield from self._voice.succeed(fan.step, sorted(fan.outputs), fan.seconds)

    def of_loss(self, flight: Flight, ending: Ending) -> Events:
        task, placement = flight.task, flight.placement
        ending = explained(ending, placement)
        limits = self._pool.backend(placement.backend).limits.and_those_of(placement.profile.limits)
        verdict = judge(ending, placement.compute, self._tower.lost(flight), limits)
        if ending.log:
            yield self._voice.say(task.step, f"The last lines that it printed:\n{ending.log}")
        if verdict.compute is None:
            yield from self._fail(task, verdict.sentence + _last_line(ending), verdict.own_fault)
            return
        yield self._voice.say(task.step, verdict.sentence, {LOST: task.partition})
        self._tower.lose(flight, verdict.compute)
        self._departures.hold_first(task, placement.backend)

    def _fail(self, task: Task, sentence: str, may_retry: bool) -> Events:
        fan = self.fans.get(task.step.key)
        tries = fan.tries[task.partition] if fan else self._active.retry_state.get_attempt_count(task.step.key)
        delay = self._voice.retry_delay(task.step, tries) if may_retry else None
        if fan:
            kind: Kind = "failed" if delay is None else "retry"
            yield self._voice.say(task.step, sentence, {OUTCOME: kind, PARTITION: task.partition})
            yield from self.decide(task, Outcome(kind, task.partition, delay=delay or 0, sentence=sentence))
        elif delay is None:
            yield from self._give_up(task.step, sentence)
        else:
            yield self._voice.retry(task.step, sentence, delay)

    def _give_up(self, step: ExecutionStep, sentence: str) -> Events:
        if compute_of(step.tags).on_failure == "skip":
            yield self._voice.say(step, sentence)
            yield from self._voice.skip(step, sentence)
        else:
            yield self._voice.fail(step, sentence)


def _last_line(ending: Ending) -> str:
    """What a process printed last, where nobody knows better why it ended: most often that is its error."""
    line = ending.log.rstrip().rpartition("\n")[2].strip()
    if not line or ending.kind not in _UNEXPLAINED:
        return ""
    return f" The last line that it printed: {line[:_MOST_OF_A_LINE]}"
