"""A run that is to be started again is, also where Dagster's daemon looked at it a moment too early."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from platform_core.access.context import Permitted
from platform_core.dagster_internals import LocationOrigin, daemons_of, missed_retries, workspace_in_process

CODE = """
import dagster as dg


@dg.asset
def rows() -> None: ...


t = dg.Definitions([rows], jobs=[dg.define_asset_job("minutes", dg.AssetSelection.all())])
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

    job = dg.Definitions([rows], jobs=[dg.define_asset_job("minutes", dg.AssetSelection.all())]).resolve_job_def(
        "minutes"
    )
    origin = LocationOrigin("t", "code_locations.t.definitions", "t", Path("/somewhere/python"))
    run = instance.create_run_for_job(
        job, remote_job_origin=origin.seen_by_webserver("minutes"), status=dg.DagsterRunStatus.STARTED
    )
    instance.report_run_failed(run)
    return run.run_id


def look(instance: dg.DagsterInstance, folder: Path) -> None:
    """One look of the part of the daemon that retries."""
    [consumer] = [daemon for daemon in daemons_of(instance) if daemon.daemon_type() == "EVENT_LOG_CONSUMER"]
    with workspace_in_process(instance, folder / "code.py", ["t"], Permitted) as workspace:
        for error in consumer.run_iteration(workspace):
            assert error is None, error


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
