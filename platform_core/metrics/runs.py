"""Follows runs: each look reads what came since the last one, however many runs there were before."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from platform_core.instance_settings import LOCATION_TAG
from platform_core.metrics.counters import Counters
from platform_core.metrics.run_events import COUNTED, RunEvents
from platform_core.orchestrator.event_log import events_from

OVERLAP = timedelta(minutes=2)  # by which clocks may differ, and within which a database may show a change late
_GOING_ON = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dataclass
class _Followed:
    """A run, up to where its events were counted."""

    events: RunEvents
    cursor: str | None = None
    ended_at: datetime | None = None


class Runs:
    """Counts what happens from now on; of a run that goes on already, everything."""

    def __init__(self, instance: dg.DagsterInstance, counters: Counters) -> None:
        self._instance, self._counters = instance, counters
        self._since = datetime.now(UTC)
        self._runs: dict[str, _Followed] = {}
        for record in self._ended():  # what ended before is no news
            self._runs[record.dagster_run.run_id] = self._followed(record, _utc(record.update_timestamp))

    def look(self) -> None:
        """Counts what is new."""
        now = datetime.now(UTC)
        # First those that ended: a run that ends between the two questions is one that goes on, for this time.
        ended = self._ended()
        going_on = self._instance.get_run_records(dg.RunsFilter(statuses=_GOING_ON))
        for record in (*going_on, *ended):
            self._follow(record)
        self._since = now
        self._forget()

    def _ended(self) -> list[dg.RunRecord]:
        changed = dg.RunsFilter(statuses=_ENDED, updated_after=self._since - OVERLAP)
        return list(self._instance.get_run_records(changed))

    def _followed(self, record: dg.RunRecord, ended_at: datetime | None = None) -> _Followed:
        return _Followed(RunEvents(self._counters, location_of(record.dagster_run)), ended_at=ended_at)

    def _follow(self, record: dg.RunRecord) -> None:
        run = record.dagster_run
        known = self._runs.setdefault(run.run_id, self._followed(record))
        if known.ended_at is not None:
            return
        for entry, cursor in events_from(self._instance, run.run_id, known.cursor, COUNTED):
            known.events.take(entry)
            known.cursor = cursor
        if run.is_finished:
            known.ended_at = _utc(record.update_timestamp)
            self._count(record)

    def _count(self, record: dg.RunRecord) -> None:
        run, location = record.dagster_run, location_of(record.dagster_run)
        self._counters.runs.labels(location, run.status.value.lower()).inc()
        if record.start_time is not None:
            waited = record.start_time - _utc(record.create_timestamp).timestamp()
            self._counters.run_wait.labels(location).observe(max(0.0, waited))
            if record.end_time is not None:
                self._counters.run_time.labels(location).observe(max(0.0, record.end_time - record.start_time))

    def _forget(self) -> None:
        """Lets go of what the next look is not told any more."""
        old = self._since - 2 * OVERLAP
        self._runs = {name: run for name, run in self._runs.items() if run.ended_at is None or run.ended_at > old}


def location_of(run: dg.DagsterRun) -> str:
    origin = run.remote_job_origin
    return run.tags.get(LOCATION_TAG) or (origin.location_name if origin else "")


def _utc(moment: datetime) -> datetime:
    """Dagster's databases keep UTC, some without saying so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
