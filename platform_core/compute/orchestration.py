"""One run: starts steps where they belong, takes their events, and decides what follows from how they ended."""

import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import NoReturn

import dagster as dg

from platform_core.compute.attempts import Change
from platform_core.compute.consequences import Consequences
from platform_core.compute.departures import Departures, Key, Task
from platform_core.compute.duty import Duty, Standing
from platform_core.compute.echo import Echo
from platform_core.compute.event_sources import EventLogTail
from platform_core.compute.examination import Examination
from platform_core.compute.execution import forked_step, into_journal
from platform_core.compute.flights import Flight, Tower
from platform_core.compute.held_event_log import Together, held_open
from platform_core.compute.placement import ComputeTable
from platform_core.compute.pool import BackendPool
from platform_core.compute.retelling import Outcome, outcome_of
from platform_core.compute.run_worker import SUPERSEDED, report_for_duty, will_be_resumed
from platform_core.compute.voice import Voice
from platform_core.dagster_internals import (
    ActiveExecution,
    ExecutionPlan,
    ExecutionStep,
    PlanOrchestrationContext,
    RetryMode,
)
from platform_core.settings import current_settings

PATIENCE = 3.0  # seconds after a step's process ended in which its last events may still arrive
CANCEL_PATIENCE = 30.0  # seconds that cancelled steps have to end
LEAVE_PATIENCE = 10.0  # seconds that the processes of steps that are done have to end, and once more when asked to
LIVE = 0.25  # seconds between two looks at what steps on this machine tell
NEWS, NO_NEWS = 0.2, 1.0  # the same for steps elsewhere, while there is news and while there is none
NEWS_LASTS = 5.0

Events = Iterator[dg.DagsterEvent]


class Orchestration:
    """The state of one run while its steps are executed.

    Args:
        most: how many tasks may be executed at once; None leaves that to the backends.
    """

    def __init__(
        self,
        table: ComputeTable,
        context: PlanOrchestrationContext,
        plan: ExecutionPlan,
        active: ActiveExecution,
        *,
        retries: RetryMode,
        most: int | None,
    ) -> None:
        self._context = context
        self._plan = plan
        self._active = active
        self._tower = Tower(table, context, retries, current_settings())
        self._tail = EventLogTail(context.instance, context.run_id)
        self._voice = Voice(context, active, self._tail)
        self._echo = Echo(context.instance, context.run_id)
        self._flights: dict[Key, Flight] = {}
        self._leaving: dict[str, Flight] = {}  # their tasks are done, their processes not yet
        self._elsewhere: set[str] = set()  # steps whose events come by the event log
        self._last_news = time.monotonic()
        self._duty = Duty(context.instance, context.run_id)
        self._will_resume = will_be_resumed(context.instance, context.dagster_run)
        self._pool = BackendPool(table, into_journal(forked_step(context, plan)), outlive=self._will_resume)
        self._departures = Departures(self._pool, most)
        self._examination = Examination(self._pool, self._tower, self._voice, active)
        self._consequences = Consequences(
            context, active, pool=self._pool, tower=self._tower, voice=self._voice, departures=self._departures
        )
        self._together: Together = nullcontext

    def events(self) -> Events:
        """Executes the plan; ends when every step has ended, or when the run was interrupted.

        Raises:
            FrozenError: nothing is started, because the location's lock file is not frozen.
            CatalogError: nothing is started, because the catalog is away.
            DefinitionError: nothing is started, because of images that somebody named.
        """
        if not report_for_duty(self._context.instance, self._context.run_id):
            os._exit(SUPERSEDED)  # whatever else it did would be told of the run that another one works on
        try:
            self._tower.require_frozen(self._plan)
            self._tower.note_start()
            self._pool.open(self._tower.backends_of(self._plan))
            with held_open(self._context.instance, self._context.run_id) as self._together:
                yield from self._rounds()
        except BaseException:
            self._pool.terminate([flight.attempt for flight in self._flights.values()])
            raise
        finally:
            self._echo.close()
            self._pool.close()

    def _rounds(self) -> Events:
        if self._context.resume_from_failure:
            yield from self._resume()
        elif (yield from self._examination.events(self._plan)):
            yield from self._interrupted()
            return
        while not self._active.is_complete:
            if self._active.check_for_interrupts():
                yield from self._interrupted()
                return
            if (standing := self._duty.standing()) != "on duty":
                self._leave(standing)
            yield from self._round()
        self._await_leaving()

    def _round(self) -> Events:
        yield from self._collect()
        yield from self._settle()
        yield from self._active.plan_events_iterator(self._context)
        yield from self._active.concurrency_event_iterator(self._context)
        for step in self._active.get_steps_to_execute():
            yield from self._consequences.of_readiness(step)
        yield from self._launch()
        if not self._active.is_complete:
            self._pool.wait(self._pause())

    # What processes tell

    def _collect(self) -> Events:
        """Takes the news of all tasks. That a process ended is noted first, so that what it told is read to its end."""
        for change in self._pool.changes():
            yield from self._note(change)
        with self._together():
            told = [(event, flight) for flight in self._flights.values() for event in flight.events()]
        for event, flight in told:
            yield from self._take(event, flight)
        if self._elsewhere:
            yield from self._collect_from_elsewhere()
        self._echo.flush()

    def _collect_from_elsewhere(self) -> Events:
        for event in self._tail.events():
            if event.step_key in self._elsewhere and not event.is_step_skipped:
                self._last_news = time.monotonic()
                outcome = outcome_of(event)
                key = event.step_key, outcome.partition if outcome else ""
                yield from self._take(event, self._flights.get(key))

    def _take(self, event: dg.DagsterEvent, flight: Flight | None) -> Events:
        """Takes one event of a task; its flight is not known for most of what one of many partitions tells."""
        if event.event_type == dg.DagsterEventType.LOGS_CAPTURED and flight:
            self._echo.follow(flight.attempt.id, event)
        elif flight and not flight.task.partition:
            self._active.handle_event(event)
        yield event
        if flight and (outcome := outcome_of(event)):
            self._land(flight)
            yield from self._consequences.decide(flight.task, outcome)
        elif flight and (event.is_step_success or event.is_step_failure or event.is_step_up_for_retry):
            self._land(flight)

    def _land(self, flight: Flight) -> None:
        del self._flights[flight.task.key]
        self._echo.end(flight.attempt.id)
        if flight.ending is None:
            self._leaving[flight.attempt.id] = flight

    def _note(self, change: Change) -> Events:
        self._last_news = time.monotonic()
        flight = self._flights.get((change.attempt.step, change.attempt.partition))
        if change.state == "ended":
            self._leaving.pop(change.attempt.id, None)
        if flight is None or flight.attempt != change.attempt:
            return  # of an attempt whose task is done
        if change.state == "ended":
            flight.ending, flight.ended_at = change.ending, self._last_news
        elif change.sentence and change.sentence != flight.told:
            flight.told = change.sentence
            yield self._voice.say(flight.task.step, change.sentence)

    def _settle(self) -> Events:
        """Decides about tasks whose processes ended without having said how they went."""
        for flight in list(self._flights.values()):
            waited = time.monotonic() - flight.ended_at
            if flight.ending and (flight.journal or waited > PATIENCE):
                self._land(flight)
                yield from self._consequences.of_loss(flight, flight.ending)

    def _launch(self) -> Events:
        for _, tasks in self._departures.leave(len(self._flights)):
            flights = [self._tower.next_flight(task, self._tower.place(task, self._pool)) for task in tasks]
            with self._together():
                told = [self._announce(flight) for flight in flights if not flight.task.partition]
            yield from told
            self._depart(flights)

    def _announce(self, flight: Flight) -> dg.DagsterEvent:
        return self._voice.place(flight.task.step, *self._tower.announcement(flight, None))

    def _depart(self, flights: list[Flight]) -> None:
        """Launches flights of one backend."""
        known, backend = self._active.get_known_state(), flights[0].placement.backend
        self._flights.update({flight.task.key: flight for flight in flights})
        if backend != "local":
            self._elsewhere.update(flight.task.step.key for flight in flights)
        fans = [self._consequences.fans.get(flight.task.step.key) for flight in flights]
        orders = [self._tower.order(flight, known, fan) for flight, fan in zip(flights, fans, strict=True)]
        self._pool.launch(backend, orders)

    def _resume(self) -> Events:
        """Takes charge of what an earlier run worker left: tasks that still run are watched, none is started twice."""
        records = list(self._tail.records())
        events = [event for _, event in records if event is not None]
        yield from events
        self._tower.remember(events, frozenset(line for line, _ in records))
        # Skipped steps follow from the others; the state machine decides about them itself.
        for step in self._active.rebuild_from_events([event for event in events if not event.is_step_skipped]):
            if not self._tower.was_started(step):
                yield from self._consequences.of_readiness(step)
                continue
            outcomes = [outcome for event in events if event.step_key == step.key and (outcome := outcome_of(event))]
            yield from self._take_over(step, outcomes)

    def _take_over(self, step: ExecutionStep, outcomes: list[Outcome]) -> Events:
        """Takes charge of a step that was started. Launching the last attempt again finds it, running or ended."""
        task = Task(step)
        placement = self._tower.place(task, self._pool)
        if fan := self._consequences.fan_of(step, placement):
            yield from self._consequences.of_memory(fan, outcomes)
        elif outcomes:
            yield from self._consequences.decide(task, outcomes[-1])
        else:
            self._depart([self._tower.last_flight(task, placement)])

    # Waiting and ending

    def _pause(self) -> float:
        """Seconds until something may have happened that nobody wakes this process for."""
        pauses = [1.0]
        if (due := float(self._active.sleep_interval())) > 0:  # type: ignore[no-untyped-call]
            pauses.append(due)
        if (due_task := self._departures.due()) is not None:
            pauses.append(due_task)
        if any(flight.journal for flight in self._flights.values()):
            pauses.append(LIVE)
        if self._elsewhere:
            pauses.append(NEWS if time.monotonic() - self._last_news < NEWS_LASTS else NO_NEWS)
        return min(pauses)

    def _interrupted(self) -> Events:
        """Ends the steps and waits for them; leaves them alone when another run worker will go on with the run."""
        self._active.mark_interrupted()
        run = self._context.instance.get_run_by_id(self._context.run_id) or self._context.dagster_run
        if run.status != dg.DagsterRunStatus.CANCELING:
            if self._will_resume:
                return
            self._context.instance.report_run_canceling(run)  # it was this process that was asked to end
        self._pool.terminate([flight.attempt for flight in self._flights.values()])
        interrupted: dict[str, ExecutionStep] = {}
        end = time.monotonic() + CANCEL_PATIENCE
        while self._flights and time.monotonic() < end:
            yield from self._collect()
            for flight in [flight for flight in self._flights.values() if flight.ending]:
                self._land(flight)
                interrupted.setdefault(flight.task.step.key, flight.task.step)
            if self._flights:
                self._pool.wait(LIVE)
        for step in interrupted.values():
            yield self._voice.fail(step, "It was cancelled.")

    def _leave(self, standing: Standing) -> NoReturn:
        """Leaves a run to its new worker, together with its steps. Those of a run that is over are ended."""
        if standing == "over":
            self._leaving |= {flight.attempt.id: flight for flight in self._flights.values()}
            self._pool.terminate([flight.attempt for flight in self._leaving.values()])
            self._await_until(time.monotonic() + CANCEL_PATIENCE)
            self._pool.close()
        os._exit(SUPERSEDED)

    def _await_leaving(self) -> None:
        """Lets the processes of steps that are done end, so that their backends can tidy up after them.

        One whose step left a thread behind would never end by itself.
        """
        self._await_until(time.monotonic() + LEAVE_PATIENCE)
        if self._leaving:
            self._pool.terminate([flight.attempt for flight in self._leaving.values()])
            self._await_until(time.monotonic() + LEAVE_PATIENCE)

    def _await_until(self, end: float) -> None:
        while self._leaving and time.monotonic() < end:
            for change in self._pool.changes():
                self._leaving.pop(change.attempt.id, None)
            if self._leaving:
                self._pool.wait(end - time.monotonic())
