"""Where the run worker learns what steps tell: journals of steps on this machine, the event log for all others."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from platform_core.compute.journal import JournalReader
from platform_core.dagster_internals import DagsterEvent, deserialize_value, serialize_value
from platform_core.orchestrator.event_log import events_after

Records = Iterator[tuple[str, DagsterEvent | None]]
OVERLAP = 100  # ids that are read again, as a database may show a later id before an earlier one


class StepJournal:
    """The events of one attempt on this machine, stored in the event log as they are read."""

    def __init__(self, instance: dg.DagsterInstance, path: Path, stored: frozenset[str] = frozenset()) -> None:
        self._instance = instance
        self._reader = JournalReader(path)
        self._stored = stored  # lines that an earlier run worker stored already

    def events(self) -> Iterator[dg.DagsterEvent]:
        for line in self._reader.lines():
            if line in self._stored:
                continue
            entry = deserialize_value(line, dg.EventLogEntry)
            self._instance.handle_new_event(entry)
            if entry.dagster_event is not None:
                yield entry.dagster_event


class EventLogTail:
    """The events that steps elsewhere write to the event log of a run, each once.

    What this process writes itself is told by `own` and left out: it is handled when it is written.
    """

    def __init__(self, instance: dg.DagsterInstance, run_id: str) -> None:
        self._instance = instance
        self._run_id = run_id
        self._last = 0
        self._seen: set[int] = set()
        self._own: Counter[tuple[str | None, str, str | None]] = Counter()

    def own(self, event: dg.DagsterEvent) -> dg.DagsterEvent:
        self._own[_identity(event)] += 1
        return event

    def events(self) -> Iterator[dg.DagsterEvent]:
        """The events since the last call; all of the run's on the first."""
        for entry in self._entries():
            event = entry.dagster_event
            if event is None:
                continue
            if self._own[_identity(event)]:
                self._own[_identity(event)] -= 1
            else:
                yield event

    def records(self) -> Records:
        """Every entry since the last call, as its line and its event; a mere message has none."""
        for entry in self._entries():
            yield serialize_value(entry), entry.dagster_event

    def _entries(self) -> Iterator[dg.EventLogEntry]:
        for number, entry in events_after(self._instance, self._run_id, max(0, self._last - OVERLAP)):
            if number in self._seen:
                continue
            self._last = max(self._last, number)
            self._seen.add(number)
            yield entry
        self._seen = {number for number in self._seen if number > self._last - OVERLAP}


def _identity(event: dg.DagsterEvent) -> tuple[str | None, str, str | None]:
    return event.step_key, event.event_type_value, event.message
