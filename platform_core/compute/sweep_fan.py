"""The step of a sweep: its trials side by side, in processes that share them, or each in one of its own."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dagster as dg

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.sweep_values import Sweep, Trial
from platform_core.compute.backends.local.limits import machine_limits
from platform_core.compute.claims import Claims
from platform_core.compute.fan_out import AT_ONCE_TAG, SWEEP_TAG, FanOut
from platform_core.compute.orders import run_folder
from platform_core.compute.placement import Placement
from platform_core.compute.retelling import Outcome
from platform_core.dagster_internals import ExecutionStep, PlanOrchestrationContext
from platform_core.settings import current_settings
from platform_core.tracking.sweeps import counted, table_of

TRIAL = "trial "
NOT_TRIED = "No trial was tried: "  # begins the sentence of a process whose failure is not that of a trial
ELSEWHERE = 10  # trials at once on other machines, where nobody says how many


class SweepFan(FanOut):
    """The trials of a sweep that are left, each in a process of its own. That some fail does not fail the step."""

    def __init__(self, step: ExecutionStep, sweep: Sweep, catalog: Catalog, at_once: int) -> None:
        self._sweep, self._catalog = sweep, catalog
        ended = catalog.ended_trials(sweep.id)
        self.left = [number for number in range(1, sweep.request["count"] + 1) if number not in ended]
        self.broken = ""
        super().__init__(step, [f"{TRIAL}{number}" for number in self.left], at_once, of="trials")

    def startable(self) -> list[str]:
        return [] if self.broken else super().startable()

    def settle(self, outcome: Outcome) -> None:
        if outcome.kind == "failed":
            self.lose(outcome, [int(outcome.partition.removeprefix(TRIAL))])
        super().settle(Outcome("done", outcome.partition))

    def lose(self, outcome: Outcome, numbers: list[int]) -> None:
        """Keeps trials as failed whose process ended before they did."""
        ended = self._catalog.ended_trials(self._sweep.id)
        lost = [number for number in numbers if number not in ended]
        if outcome.sentence.startswith(NOT_TRIED) or not lost:
            self.broken = outcome.sentence
            return
        for number in lost:
            trial = Trial(self._sweep.id, number, "failed", sentence=self.reason(outcome, number))
            self._catalog.end_trial(current_settings().writes_to, trial)

    def reason(self, outcome: Outcome, number: int) -> str:  # noqa: ARG002
        return outcome.sentence

    @property
    def is_complete(self) -> bool:
        return super().is_complete or bool(self.broken and not self.running)

    @property
    def failure(self) -> str:
        return self.broken

    @property
    def note(self) -> tuple[str, Mapping[str, Any]]:
        trials = self._catalog.trials(self._sweep.id)
        table = dg.MetadataValue.md(table_of(self._sweep, trials))
        told = {"headrace/trials": table, "headrace/sweep": self._sweep.id, "headrace/asset": self._sweep.asset}
        read = {f"headrace/read: {name}": version for name, version in self._sweep.request["inputs"].items()}
        return f"{counted(self._sweep, trials)}.", {**told, **read}


class SharedSweepFan(SweepFan):
    """The same in a few processes on this machine, each of which takes one trial after the other.

    A process that dies fails the trial that it was at, and another one goes on with the rest.
    """

    def __init__(self, step: ExecutionStep, sweep: Sweep, catalog: Catalog, at_once: int, claims: Claims) -> None:
        super().__init__(step, sweep, catalog, at_once)
        self._claims, self._most, self._started = claims, at_once, 0

    def startable(self) -> list[str]:
        count = 0 if self.broken else min(self._most - len(self.running), len(self._open))
        names = [f"worker {self._started + place + 1}" for place in range(max(count, 0))]
        self._started += len(names)
        self.running.update(names)
        return names

    @property
    def _open(self) -> list[int]:
        """The trials that nobody has taken."""
        taken = self._claims.all()
        return [number for number in self.left if number not in taken]

    def settle(self, outcome: Outcome) -> None:
        self.running.discard(outcome.partition)
        if outcome.kind == "failed":
            taken = [number for number, worker in self._claims.all().items() if worker == outcome.partition]
            self.lose(outcome, sorted(taken)[-1:])

    def reason(self, outcome: Outcome, number: int) -> str:
        limit = self._sweep.request["timeout"]
        with suppress(FileNotFoundError):
            if limit is not None and self._claims.age(number) > limit:
                return f"It took longer than {limit:g} s, and could not be interrupted; its process was ended."
        return outcome.sentence

    @property
    def is_complete(self) -> bool:
        return not self.running and (bool(self.broken) or not self._open)


def sweep_fan_of(context: PlanOrchestrationContext, step: ExecutionStep, placement: Placement) -> SweepFan | None:
    """The trials of the sweep that a run works at; None of a run that works at none."""
    id = context.dagster_run.tags.get(SWEEP_TAG)
    if id is None:
        return None
    catalog = open_catalog(current_settings().catalog)
    sweep = catalog.sweep(id)
    asked = int(context.dagster_run.tags.get(AT_ONCE_TAG, 0))
    if placement.backend != "local":
        return SweepFan(step, sweep, catalog, asked or ELSEWHERE)
    at_once = asked or max(1, int((machine_limits().cpu or 1) / placement.compute.cpu))
    if sweep.request["isolated"]:
        return SweepFan(step, sweep, catalog, at_once)
    return SharedSweepFan(step, sweep, catalog, at_once, claims_of(context.run_id))


def claims_of(run_id: str) -> Claims:
    """What the workers of a run took, on this machine."""
    return Claims(run_folder(current_settings(), run_id) / "claims")
