"""Counts what the events of one run tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from platform_core.compute.flights import ATTEMPT, BACKEND, LOST, PRICE_PER_HOUR
from platform_core.compute.retelling import outcome_of
from platform_core.metrics.counters import Counters

HOUR = 3600.0
KINDS = dg.DagsterEventType
_OUTCOMES = {KINDS.STEP_SUCCESS: "success", KINDS.STEP_FAILURE: "failure", KINDS.STEP_SKIPPED: "skipped"}
COUNTED = {
    *_OUTCOMES,
    KINDS.STEP_WORKER_STARTING,
    KINDS.STEP_START,
    KINDS.STEP_RESTARTED,
    KINDS.STEP_UP_FOR_RETRY,
    KINDS.ENGINE_EVENT,
    KINDS.ASSET_CHECK_EVALUATION,
    KINDS.ASSET_MATERIALIZATION,
}


@dataclass
class _Step:
    """The last attempt of a step, with times in seconds since 1970; without a price where none is known."""

    sent_off: float | None = None
    backend: str = ""
    price: float | None = None
    began: float | None = None


class RunEvents:
    """Remembers of one run what its next events are understood by."""

    def __init__(self, counters: Counters, location: str) -> None:
        self._counters, self._location = counters, location
        self._steps: dict[str, _Step] = {}

    def take(self, entry: dg.EventLogEntry) -> None:
        """Counts one entry of the event log, in their order."""
        event, at = entry.dagster_event, entry.timestamp
        if event is None:
            return
        step = self._steps.setdefault(event.step_key or "", _Step())
        kind = event.event_type
        if kind == KINDS.STEP_WORKER_STARTING:
            self._sent_off(event, at)
        elif kind in (KINDS.STEP_START, KINDS.STEP_RESTARTED):
            self._began(step, at)
        elif kind in _OUTCOMES:
            self._ended(step, _OUTCOMES[kind], at)
        elif kind == KINDS.STEP_UP_FOR_RETRY:
            self._again(step, "code", at)
        elif kind == KINDS.ENGINE_EVENT:
            self._news(event, step, at)
        else:
            self._asset(event)

    def _sent_off(self, event: dg.DagsterEvent, at: float) -> None:
        told = _told(event)
        alone = ATTEMPT in told  # of many partitions side by side each takes its own time
        price = told.get(PRICE_PER_HOUR) if alone else None
        self._steps[event.step_key or ""] = _Step(at, str(told.get(BACKEND, "")), price)

    def _began(self, step: _Step, at: float) -> None:
        if step.sent_off is not None and step.began is None:
            self._counters.step_start.labels(step.backend).observe(max(0.0, at - step.sent_off))
        step.began = at

    def _ended(self, step: _Step, outcome: str, at: float) -> None:
        self._counters.steps.labels(self._location, outcome).inc()
        if step.began is not None:
            self._counters.step_time.labels(self._location).observe(max(0.0, at - step.began))
        if outcome == "failure":
            self._waste(step, at)

    def _again(self, step: _Step, cause: str, at: float) -> None:
        self._counters.retries.labels(self._location, cause).inc()
        self._waste(step, at)

    def _waste(self, step: _Step, at: float) -> None:
        if step.price is not None and step.began is not None:
            self._counters.wasted.labels(self._location).inc(max(0.0, at - step.began) / HOUR * step.price)
        step.began = None  # what comes next is another attempt

    def _news(self, event: dg.DagsterEvent, step: _Step, at: float) -> None:
        outcome = outcome_of(event)
        if LOST in _told(event):
            self._again(step, "infrastructure", at)
        elif outcome is not None and outcome.kind == "retry":
            self._counters.retries.labels(self._location, "code").inc()

    def _asset(self, event: dg.DagsterEvent) -> None:
        if event.event_type == KINDS.ASSET_MATERIALIZATION:
            key = event.step_materialization_data.materialization.asset_key
            self._counters.materializations.labels(key.to_user_string()).inc()
            return
        check = event.asset_check_evaluation_data
        result = "passed" if check.passed else "failed"
        named = (check.asset_key.to_user_string(), check.check_name, check.severity.value.lower())
        self._counters.checks.labels(*named, result).inc()


def _told(event: dg.DagsterEvent) -> Mapping[str, Any]:
    """The metadata of news, as plain values."""
    data: Any = event.event_specific_data
    return {name: value.value for name, value in getattr(data, "metadata", {}).items()}
