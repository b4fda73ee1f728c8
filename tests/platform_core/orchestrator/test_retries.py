"""A run that is to be started again is, also where Dagster's daemon would give it up."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_core.access.context import Permitted
from platform_core.dagster_internals import DagsterEvent, StepHandle, StepSuccessData
from platform_core.orchestrator import retries
from platform_core.orchestrator.daemons import daemons_of
from platform_core.orchestrator.retries import missed_retries
from platform_core.orchestrator.runs import LocationOrigin
from tests.platform_core.in_process import workspace_in_process

CODE = """
import dagster as dg


@dg.asset
def rows() -> None: ...


t = other = dg.Definitions([rows], jobs=[dg.define_asset_job("minutes", dg.AssetSelection.all())])
"""
SETTINGS = {
    "run_retries": {"enabled": True, "max_retries": 2},
    "run_coordinator": {
        "module": "dagster._core.run_coordinator.queued_run_coordinator",
        "class": "QueuedRunCoordinator",
    },
}
QUEUED, SUCCESS = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.SUCCESS


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "code.py").write_text(CODE)
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=SETTINGS) as one:
        yield one


def failed(instance: dg.DagsterInstance) -> str:
    """A run that its machine took away before it started."""

    @dg.asset
    def rows() -> None: ...

    run = started(instance, rows)
    instance.report_run_failed(run)
    return run.run_id


def started(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition) -> dg.DagsterRun:
    made = dg.Definitions(assets, jobs=[dg.define_asset_job("minutes", dg.AssetSelection.all())])
    origin = LocationOrigin("t", "code_locations.t.definitions", "t", Path("/somewhere/python"))
    return instance.create_run_for_job(
        made.resolve_job_def("minutes"),
        remote_job_origin=origin.seen_by_webserver("minutes"),
        status=dg.DagsterRunStatus.STARTED,
    )


def finished(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition, done: Sequence[str]) -> str:
    """A run whose worker lost the database after some steps had succeeded."""
    run = started(instance, *assets)
    for step in done:
        for kind, data in (
            (dg.DagsterEventType.STEP_START, None),
            (dg.DagsterEventType.STEP_SUCCESS, StepSuccessData(duration_ms=1.0)),  # type: ignore[no-untyped-call]
        ):
            handle: Any = StepHandle.parse_from_key(step)
            event = DagsterEvent(kind.value, run.job_name, handle, event_specific_data=data)
            instance.report_dagster_event(event, run_id=run.run_id)
    instance.report_run_failed(run)
    return run.run_id


def look(instance: dg.DagsterInstance, folder: Path, *, served: str = "t") -> list[str]:
    """One look of the part of the daemon that retries, and the errors that it tells."""
    [consumer] = [daemon for daemon in daemons_of(instance) if daemon.daemon_type() == "EVENT_LOG_CONSUMER"]
    with workspace_in_process(instance, folder / "code.py", [served], Permitted) as workspace:
        return [error.message for error in consumer.run_iteration(workspace) if error is not None]


def children(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    found = instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": run_id}))
    return [run.status.value for run in found]


def test_a_failure_that_was_seen_too_early_is_retried_once(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    look(instance, tmp_path)  # what failed before the first look is none of its business
    run_id = failed(instance)
    seen = {f"EVENT_LOG_CONSUMER_CURSOR-PIPELINE_{kind}": "1000000" for kind in ("FAILURE", "SUCCESS")}
    instance.daemon_cursor_storage.set_cursor_values(seen)  # while the run's own row did not yet say that it had failed
    assert [record.dagster_run.run_id for record in missed_retries(instance)] == [run_id]
    look(instance, tmp_path)
    assert children(instance, run_id) == ["QUEUED"]
    assert missed_retries(instance) == []
    look(instance, tmp_path)
    assert len(children(instance, run_id)) == 1


def test_a_failure_that_was_seen_in_time_is_retried_once(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    look(instance, tmp_path)
    run_id = failed(instance)
    look(instance, tmp_path)
    assert children(instance, run_id) == ["QUEUED"]


def test_what_is_not_to_be_retried_is_not(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    look(instance, tmp_path)
    run_id = failed(instance)
    instance.add_run_tags(run_id, {"dagster/will_retry": "false"})
    look(instance, tmp_path)
    assert children(instance, run_id) == []
    assert missed_retries(instance) == []


@dg.asset(name="rows")
def rows_() -> None: ...


def test_a_run_whose_steps_had_all_succeeded_counts_as_succeeded(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    look(instance, tmp_path)
    run_id = finished(instance, rows_, done=["rows"])
    assert look(instance, tmp_path) == []
    [record] = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    assert record.dagster_run.status == SUCCESS
    assert children(instance, run_id) == []
    assert missed_retries(instance) == []
    assert retries.ALL_DONE in [entry.message for entry in instance.all_logs(run_id)]


def test_a_run_with_a_step_to_be_done_does_not(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    look(instance, tmp_path)
    run_id = finished(instance, rows_, done=[])
    look(instance, tmp_path)
    assert children(instance, run_id) == ["QUEUED"]


def test_a_run_whose_code_is_not_served_just_then_waits(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    look(instance, tmp_path)
    run_id = failed(instance)
    errors = look(instance, tmp_path, served="other")
    assert errors
    assert "Location t does not exist" in errors[0]
    assert children(instance, run_id) == []
    assert look(instance, tmp_path) == []
    assert children(instance, run_id) == ["QUEUED"]


def test_a_run_that_was_made_and_could_not_be_launched_is(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise ConnectionError("the database is away")

    look(instance, tmp_path)
    run_id = failed(instance)
    with monkeypatch.context() as patch:
        patch.setattr(instance, "submit_run", unreachable)
        assert "the database is away" in look(instance, tmp_path)[0]
    assert children(instance, run_id) == ["NOT_STARTED"]
    assert look(instance, tmp_path) == []
    assert children(instance, run_id) == ["QUEUED"]
    assert missed_retries(instance) == []


def test_a_run_that_could_not_be_started_again_for_long_is_given_up(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(instance, tmp_path)
    run_id = failed(instance)
    with monkeypatch.context() as patch:
        patch.setattr(retries, "_is_long_ago", lambda end: end is not None)
        look(instance, tmp_path, served="other")
    assert look(instance, tmp_path) == []
    assert children(instance, run_id) == []
    [last, *_] = [entry.message for entry in instance.all_logs(run_id) if "Not started again" in entry.message]
    assert "Location t does not exist" in last
