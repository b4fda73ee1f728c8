"""Tasks that were started, from the decision where they run to the order that a backend takes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import dagster as dg

from platform_core.catalog.opening import open_catalog
from platform_core.compute.attempts import Attempt, Ending, Order
from platform_core.compute.departures import Key, Task
from platform_core.compute.event_sources import StepJournal
from platform_core.compute.fan_out import FanOut, tags_of
from platform_core.compute.frozen import in_environment, require_hashes
from platform_core.compute.journal import journal_path
from platform_core.compute.orders import labels_of, make_order, name_of, run_folder
from platform_core.compute.placement import ComputeTable, Placement
from platform_core.compute.pool import BackendPool
from platform_core.compute.prices import price_per_hour
from platform_core.compute.requests import StepRequest, make_request
from platform_core.compute.retelling import outcome_of
from platform_core.compute.spec import BackendName, Compute, compute_of
from platform_core.dagster_internals import (
    ExecutionPlan,
    ExecutionStep,
    KnownExecutionState,
    PlanOrchestrationContext,
    RetryMode,
)
from platform_core.errors import DefinitionError, HeadraceError, listed
from platform_core.orchestrator.steps import asset_nodes_of
from platform_core.settings import Settings

BACKEND = "headrace/backend"
ATTEMPT = "headrace/attempt"
PRICE_PER_HOUR = "headrace/price_per_hour"
TRIAL_CPU = 0.1  # of a worker that has nothing to do
LOST = "headrace/lost"  # on the event that says that an attempt was lost to infrastructure: of which partition


@dataclass
class Flight:
    """A task that was started and whose end is not known yet."""

    task: Task
    placement: Placement
    attempt: Attempt
    journal: StepJournal | None = None  # None: its events come by the event log
    told: str = ""  # what it waits for, as the event log says already
    ending: Ending | None = None
    ended_at: float = field(default=float("inf"))

    def events(self) -> Iterator[dg.DagsterEvent]:
        """What its journal tells since the last call, stored in the event log."""
        return self.journal.events() if self.journal else iter(())


class Tower:
    """Makes flights of the tasks of one run: decides where each goes, counts its attempts, writes its orders."""

    def __init__(
        self, table: ComputeTable, context: PlanOrchestrationContext, retries: RetryMode, settings: Settings
    ) -> None:
        self._table = table
        self._context = context
        self._retries = retries
        self._settings = settings
        self._folder = run_folder(settings, context.run_id)
        self._attempts: Counter[Key] = Counter()
        self._lost: Counter[Key] = Counter()
        self._placed: dict[Key, Placement] = {}
        self._stored: frozenset[str] = frozenset()

    def require_frozen(self, plan: ExecutionPlan) -> None:
        """Refuses the run of a location whose lock file is not frozen. All steps of a run are of one location.

        Raises:
            FrozenError: with the packages that could be others.
        """
        first = next((step for step in plan.step_dict.values() if isinstance(step, ExecutionStep)), None)
        if first is not None:
            require_hashes(self._location(first), self._settings)

    def note_start(self) -> None:
        """From now on the run takes no notice of what others commit, whichever of its steps asks first."""
        open_catalog(self._settings.catalog).as_of_run(self._settings.writes_to, self._context.run_id)

    def backends_of(self, plan: ExecutionPlan) -> set[BackendName]:
        """The backends that the steps of a plan are going to need; of those that can be placed."""
        needed = set()
        for step in plan.step_dict.values():
            with suppress(HeadraceError):  # told when the step's turn comes, as a failure of that step alone
                needed.add(self._table.place(self._compute(step.tags), step.key).backend)
        return needed

    def trials(self, plan: ExecutionPlan, pool: BackendPool) -> list[Flight]:
        """For each image that somebody named, one flight of a step that needs it, to see whether it can start.

        What only steps need whose failure does not stop the run is not tried: they fail when their turn comes.
        """
        found: dict[tuple[BackendName, str], Flight] = {}
        for step in map(plan.get_step_by_key, plan.step_keys_to_execute):
            with suppress(HeadraceError):  # told when the step's turn comes
                placement = self._table.place(self._compute(step.tags), step.key)
                image = self._named(placement, pool)
                if image and isinstance(step, ExecutionStep):
                    bare = replace(placement, compute=Compute(cpu=TRIAL_CPU, image=image))
                    flight = Flight(Task(step), bare, Attempt(self._context.run_id, step.key, 0))
                    found.setdefault((placement.backend, image), flight)
        return list(found.values())

    def _named(self, placement: Placement, pool: BackendPool) -> str:
        compute = placement.compute
        if compute.on_failure == "skip" or (compute.image is None and self._table.images):
            return ""
        backend = pool.backend(placement.backend)
        return (compute.image or backend.image) if backend.tries_images else ""

    def trial(self, flight: Flight) -> Order:
        """The order to start a worker that has nothing to do, with nothing that is secret."""
        return replace(self._order(flight, ""), secrets={})

    def place(self, task: Task, pool: BackendPool) -> Placement:
        """Where a task runs: where its step does, perhaps with more memory after an attempt was lost for it.

        Raises:
            DefinitionError: nothing here can run it.
        """
        of_step = (task.step.key, "")
        if of_step not in self._placed:
            self._placed[of_step] = self._place(task.step, pool)
        return self._placed.get(task.key, self._placed[of_step])

    def _place(self, step: ExecutionStep, pool: BackendPool) -> Placement:
        asset = self._asset(step)
        placement = self._table.place(self._compute(step.tags), asset)
        if broken := pool.backend(placement.backend).limits.broken_by(placement.compute):
            raise DefinitionError(
                f"{asset} cannot be placed: it asks for {listed(broken)} that the backend {placement.backend} has."
                " Ask for less, or name another backend or profile in its Compute."
            )
        return in_environment(placement, self._location(step), self._table, self._settings)

    def _compute(self, tags: Mapping[str, str] | None) -> Compute:
        """What a step asks for, else its run: a sweep's has what the asset asks for."""
        return compute_of({**self._context.dagster_run.tags, **(tags or {})})

    def _location(self, step: ExecutionStep) -> str:
        labels = labels_of(self._context.dagster_run, step.key, asset_nodes_of(self._context, step), self._settings)
        return labels["location"]

    def lost(self, flight: Flight) -> int:
        """How many attempts of a flight's task were lost to infrastructure before it."""
        return self._lost[flight.task.key]

    def lose(self, flight: Flight, compute: Compute) -> None:
        """Counts a flight as lost; the next one of its task gets that compute."""
        self._lost[flight.task.key] += 1
        self._placed[flight.task.key] = replace(flight.placement, compute=compute)

    def next_flight(self, task: Task, placement: Placement) -> Flight:
        self._attempts[task.key] += 1
        return self.last_flight(task, placement)

    def last_flight(self, task: Task, placement: Placement) -> Flight:
        """The flight that was started last, by an earlier run worker perhaps."""
        attempt = Attempt(self._context.run_id, task.step.key, self._attempts[task.key], task.partition)
        flight = Flight(task, placement, attempt)
        if placement.backend == "local":
            path = journal_path(self._folder, attempt.id)
            flight.journal = StepJournal(self._context.instance, path, self._stored)
        return flight

    def remember(self, events: Iterable[dg.DagsterEvent], stored: frozenset[str]) -> None:
        """Counts the attempts that an earlier run worker told of, and knows which lines of journals it has stored.

        Partitions are not announced one by one: those that were lost or tried again tell how often they started.
        """
        self._stored = stored
        for event in events:
            step, outcome = event.step_key or "", outcome_of(event)
            if event.event_type == dg.DagsterEventType.STEP_WORKER_STARTING:
                self._attempts[step, ""] += 1
            elif event.is_engine_event and LOST in event.engine_event_data.metadata:
                key = step, str(event.engine_event_data.metadata[LOST].value)
                self._lost[key] += 1
                self._attempts[key] += bool(key[1])
            elif outcome and outcome.kind == "retry":
                self._attempts[step, outcome.partition] += 1

    def was_started(self, step: ExecutionStep) -> bool:
        return self._attempts[step.key, ""] > 0

    def announcement(self, flight: Flight, fan: FanOut | None) -> tuple[str, Mapping[str, str | float]]:
        """Where a step runs, why, and for how much, as a sentence and as metadata."""
        compute, where = flight.placement.compute, flight.placement.backend
        each = f", for each of {len(fan.partitions):,} {fan.of}" if fan else ""
        again = f" Attempt {flight.attempt.number}." if flight.attempt.number > 1 else ""
        message = f"On the backend {where} ({flight.placement.reason}): {compute}{each}.{again}"
        told: dict[str, str | float] = {BACKEND: where}
        if (price := price_per_hour(flight.placement)) is not None:
            told[PRICE_PER_HOUR] = price
        return message, told if fan else {**told, ATTEMPT: flight.attempt.id}

    def order(self, flight: Flight, known: KnownExecutionState, fan: FanOut | None) -> Order:
        """What the backend of a flight is asked to do."""
        return self._order(flight, self._request(flight, known, fan).to_text())

    def _order(self, flight: Flight, payload: str) -> Order:
        nodes = asset_nodes_of(self._context, flight.task.step)
        labels = labels_of(self._context.dagster_run, flight.task.step.key, nodes, self._settings)
        return make_order(flight.attempt, flight.placement, payload, labels, self._settings)

    def _request(self, flight: Flight, known: KnownExecutionState, fan: FanOut | None) -> StepRequest:
        step, partition = flight.task.step, flight.task.partition
        if fan is None:
            skippable = flight.placement.compute.on_failure == "skip"
            return make_request(self._context, step, known, self._retries, is_skippable=skippable)
        known = known._replace(previous_retry_attempts={step.key: fan.tries[partition]})
        tags = tags_of(self._context, step, partition)
        return make_request(self._context, step, known, self._retries, partition=partition, tags=tags)

    def _asset(self, step: ExecutionStep) -> str:
        return name_of(step.key, asset_nodes_of(self._context, step))
