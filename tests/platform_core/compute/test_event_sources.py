"""Events reach the run worker once each, from journals and from the event log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_core.compute import event_sources
from platform_core.compute.event_sources import EventLogTail, StepJournal
from platform_core.compute.journal import JournalWriter
from platform_core.dagster_internals import DagsterEvent, EngineEventData, serialize_value

RUN = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def news(message: str, step: str = "s") -> DagsterEvent:
    return DagsterEvent("ENGINE_EVENT", "all", step_key=step, event_specific_data=EngineEventData(), message=message)


def entry(message: str, step: str = "s") -> dg.EventLogEntry:
    untyped: Any = dg.EventLogEntry
    made: dg.EventLogEntry = untyped(
        error_info=None,
        level=10,
        user_message=message,
        run_id=RUN,
        timestamp=1234567890.123456,
        step_key=step,
        job_name="all",
        dagster_event=news(message, step),
    )
    return made


def messages(events: Iterator[dg.DagsterEvent]) -> list[str | None]:
    return [event.message for event in events]


def test_the_events_of_a_journal_are_stored_as_they_are_read(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    journal, writer = StepJournal(instance, tmp_path / "a"), JournalWriter(tmp_path / "a")
    for message in ("one", "zwölf"):
        writer.write(serialize_value(entry(message)))
    assert messages(journal.events()) == ["one", "zwölf"]
    assert messages(journal.events()) == []
    assert [each.dagster_event.message for each in instance.all_logs(RUN) if each.dagster_event] == ["one", "zwölf"]


def test_what_an_earlier_run_worker_stored_is_not_stored_again(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Lines as they come back out of the event log are compared with those that the step wrote."""
    writer = JournalWriter(tmp_path / "a")
    writer.write(serialize_value(entry("one")))
    assert messages(StepJournal(instance, tmp_path / "a").events()) == ["one"]
    writer.write(serialize_value(entry("two")))
    stored = frozenset(line for line, _ in EventLogTail(instance, RUN).records())
    assert messages(StepJournal(instance, tmp_path / "a", stored).events()) == ["two"]
    assert len(instance.all_logs(RUN)) == 2


def test_a_mere_message_in_a_journal_is_stored_and_no_event(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    message = entry("from context.log")._replace(dagster_event=None)
    JournalWriter(tmp_path / "a").write(serialize_value(message))
    assert messages(StepJournal(instance, tmp_path / "a").events()) == []
    assert [each.user_message for each in instance.all_logs(RUN)] == ["from context.log"]


def test_the_tail_gives_what_came_since_the_last_look(instance: dg.DagsterInstance) -> None:
    tail = EventLogTail(instance, RUN)
    instance.handle_new_event(entry("one"))
    assert messages(tail.events()) == ["one"]
    assert messages(tail.events()) == []
    instance.handle_new_event(entry("two"))
    assert messages(tail.events()) == ["two"]


def test_what_this_process_wrote_itself_is_left_out_as_often_as_it_wrote_it(instance: dg.DagsterInstance) -> None:
    tail = EventLogTail(instance, RUN)
    tail.own(news("mine"))
    for message in ("mine", "theirs", "mine"):
        instance.handle_new_event(entry(message))
    assert messages(tail.events()) == ["theirs", "mine"]


@given(st.lists(st.integers(0, 4), max_size=12), st.integers(1, 5))
def test_an_id_that_shows_up_late_is_not_missed_and_none_is_told_twice(order: list[int], overlap: int) -> None:
    """As with a database in which a transaction with a lower id ends after one with a higher one."""
    shown: list[int] = []
    told: list[str | None] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_sources, "OVERLAP", overlap)
        patch.setattr(event_sources, "events_after", lambda _i, _r, least: _entries(shown, least))
        tail = EventLogTail(None, RUN)  # type: ignore[arg-type]
        waiting = list(range(1, 21))
        for late in [*order, *([0] * 20)]:
            if waiting:
                near = [number for number in waiting if number < waiting[0] + overlap]
                waiting.remove(number := near[min(late, len(near) - 1)])
                shown.append(number)
            told += messages(tail.events())
    assert sorted(told, key=lambda message: int(message or 0)) == [str(number) for number in range(1, 21)]


def _entries(shown: list[int], least: int) -> Iterator[tuple[int, dg.EventLogEntry]]:
    for number in sorted(shown):
        if number > least:
            yield number, entry(str(number))
