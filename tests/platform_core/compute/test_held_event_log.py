"""The event log of a run stays what it is, whether its files are held open or not."""

import sqlite3
from contextlib import closing, suppress
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from platform_core.compute.held_event_log import held_open


@pytest.fixture
def instance(tmp_path_factory: pytest.TempPathFactory) -> dg.DagsterInstance:
    return dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster")))


def messages(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [str(entry.dagster_event.message) for entry in instance.all_logs(run_id) if entry.dagster_event]


def new_run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    @dg.job
    def nothing() -> None: ...

    return instance.create_run_for_job(nothing)


def test_what_is_written_meanwhile_is_there_for_others_at_once(instance: dg.DagsterInstance) -> None:
    run = new_run(instance)
    other = dg.DagsterInstance.from_ref(instance.get_ref())
    with held_open(instance, run.run_id):
        instance.report_engine_event("one", run)
        assert messages(other, run.run_id) == ["one"]


def test_what_is_written_together_is_there_for_others_at_its_end(instance: dg.DagsterInstance) -> None:
    run = new_run(instance)
    other = dg.DagsterInstance.from_ref(instance.get_ref())
    with held_open(instance, run.run_id) as together:
        with together():
            instance.report_engine_event("one", run)
            instance.report_engine_event("two", run)
            assert messages(instance, run.run_id) == ["one", "two"]
            assert messages(other, run.run_id) == []
        assert messages(other, run.run_id) == ["one", "two"]


def test_what_was_written_together_is_nowhere_after_an_error(instance: dg.DagsterInstance) -> None:
    run = new_run(instance)
    with held_open(instance, run.run_id) as together:
        with suppress(KeyError), together():
            instance.report_engine_event("one", run)
            raise KeyError
        instance.report_engine_event("two", run)
    assert messages(instance, run.run_id) == ["two"]


def test_the_log_of_a_new_run_is_copied_from_an_empty_one(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was written to the one from which the empty one was made, or to one that there was before."""

    @dg.job
    def nothing() -> None: ...

    with held_open(instance, new_run(instance).run_id):
        pass
    first, second = str(uuid4()), str(uuid4())
    with held_open(instance, first):
        instance.report_engine_event("one", instance.create_run_for_job(nothing, run_id=first))
    storage: Any = instance.event_log_storage
    monkeypatch.setattr(storage, "_initdb", None)  # what makes the tables
    with held_open(instance, second):
        instance.report_engine_event("two", instance.create_run_for_job(nothing, run_id=second))
    other = dg.DagsterInstance.from_ref(instance.get_ref())
    assert (messages(other, first), messages(other, second)) == (["one"], ["two"])
    with closing(sqlite3.connect(storage.path_for_shard(second))) as log:
        assert log.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert {first, second} <= set(storage.get_all_run_ids())


def test_other_runs_are_written_as_ever_and_afterwards_this_one_too(instance: dg.DagsterInstance) -> None:
    run, other = new_run(instance), new_run(instance)
    with held_open(instance, run.run_id):
        instance.report_engine_event("elsewhere", other)
    instance.report_engine_event("after", run)
    assert messages(instance, other.run_id) == ["elsewhere"]
    assert messages(instance, run.run_id) == ["after"]


def test_a_log_that_is_not_on_sqlite_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance, held_open(instance, "run") as together, together():
        assert "_connect" not in vars(instance.event_log_storage)
