"""Event logs, read and written many entries at a time."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from platform_core.dagster_internals import (
    DagsterEvent,
    EventLogCursor,
    SerializableErrorInfo,
    StepFailureData,
    StepHandle,
    StepMaterializationData,
    UserFailureData,
)

PAGE = 1000  # entries of an event log that are read at once
AT_ONCE = 500  # rows in one statement
RUNLESS = ""  # the id of the run, and the name of the job, of an event that belongs to none


def events_after(instance: dg.DagsterInstance, run_id: str, number: int) -> Iterator[tuple[int, dg.EventLogEntry]]:
    """The entries of a run's event log above a number, with their numbers, however many there are."""
    for record in _records(instance, run_id, EventLogCursor.from_storage_id(number).to_string()):
        yield record.storage_id, record.event_log_entry


def events_from(
    instance: dg.DagsterInstance, run_id: str, cursor: str | None, kinds: set[dg.DagsterEventType]
) -> Iterator[tuple[dg.EventLogEntry, str]]:
    """The entries of some kinds in a run's event log after a cursor, each with the cursor behind it."""
    for record in _records(instance, run_id, cursor, kinds):
        yield record.event_log_entry, EventLogCursor.from_storage_id(record.storage_id).to_string()


def _records(
    instance: dg.DagsterInstance, run_id: str, cursor: str | None, kinds: set[dg.DagsterEventType] | None = None
) -> Iterator[dg.EventLogRecord]:
    """Page after page."""
    while True:
        page = instance.get_records_for_run(run_id, cursor, of_type=kinds, limit=PAGE)
        yield from page.records
        if not page.has_more:
            return
        cursor = page.cursor


def report_materializations(
    instance: dg.DagsterInstance, events: Sequence[tuple[datetime, dg.AssetMaterialization]]
) -> None:
    """Writes materializations that belong to no run, each as of a time of its own, the newest of an asset last: all of
    them in one transaction. What Dagster has for a batch writes one asset, and on SQLite one event, at a time.
    """
    from platform_core.dagster_internals import SqlEventLogStorageTable

    def entry(at: datetime, event: dg.AssetMaterialization) -> dg.EventLogEntry:
        kind, data = dg.DagsterEventType.ASSET_MATERIALIZATION.value, StepMaterializationData(event)
        told = DagsterEvent(event_type_value=kind, job_name=RUNLESS, event_specific_data=data)
        return dg.EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None, level=logging.INFO, user_message="", run_id=RUNLESS, timestamp=at.timestamp(),
            job_name=RUNLESS, dagster_event=told,
        )  # fmt: skip

    entries = [entry(at, event) for at, event in events]
    last = {event.asset_key: number for number, (_, event) in enumerate(events)}
    storage: Any = instance.event_log_storage  # of whichever database, it writes by SQLAlchemy
    new = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
    with storage.index_transaction() as connection:
        for start in range(0, len(entries), AT_ONCE):
            some = entries[start : start + AT_ONCE]
            ids = connection.execute(new, [storage._event_to_row(item) for item in some]).scalars().all()
            storage._store_asset_event_tags(connection, some, ids)
            for number in last.values():
                if start <= number < start + AT_ONCE:
                    storage._store_asset_event(connection, entries[number], ids[number - start])


def tell_refusal(instance: dg.DagsterInstance, run: dg.DagsterRun, step: str, sentence: str) -> None:
    """Writes the event of the failure of a step that its process does not even begin."""
    make: Any = StepFailureData
    description: Any = UserFailureData
    handle: Any = StepHandle.parse_from_key(step)
    error = SerializableErrorInfo(sentence, [], "FrozenError")
    event = DagsterEvent(
        event_type_value=dg.DagsterEventType.STEP_FAILURE.value,
        job_name=run.job_name,
        step_handle=handle,
        node_handle=handle.node_handle,
        event_specific_data=make(error, description("FrozenError", sentence)),
        message=f"{step} was refused: {sentence}",
    )
    instance.report_dagster_event(event, run_id=run.run_id, log_level=logging.ERROR)
