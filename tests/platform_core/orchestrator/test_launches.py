"""A run whose worker was never there, or ended before it began, is not waited for."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from platform_core.compute.run_worker import RunWorker
from platform_core.orchestrator.daemons import daemons_of
from platform_core.orchestrator.launches import LOST_AFTER, fail_lost_launches
from tests.platform_core.compute.doubles import a_run

STARTING, FAILURE = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.FAILURE
HERE = RunWorker.of(os.getpid(), "launcher")
GONE = RunWorker("launcher", HERE.host, 2**22 + 1, 1)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": "platform_core.compute.launcher", "class": "LocalRunLauncher"}
    settings = {"run_launcher": launcher, "run_monitoring": {"enabled": True}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as one:
        yield one


def launched(instance: dg.DagsterInstance, worker: RunWorker | None) -> str:
    return a_run(instance, worker, status=STARTING).run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    [run] = instance.get_runs(dg.RunsFilter(run_ids=[run_id]))
    return run.status


@pytest.mark.parametrize(("worker", "then"), [(None, FAILURE), (GONE, FAILURE), (HERE, STARTING)])
def test_who_has_no_worker_after_a_minute_is_lost(
    instance: dg.DagsterInstance, worker: RunWorker | None, then: dg.DagsterRunStatus
) -> None:
    run_id, now = launched(instance, worker), datetime.now(UTC)
    fail_lost_launches(instance, now + LOST_AFTER / 2)
    assert status(instance, run_id) == STARTING
    fail_lost_launches(instance, now + LOST_AFTER + timedelta(seconds=1))
    assert status(instance, run_id) == then


def test_what_it_printed_says_why(instance: dg.DagsterInstance) -> None:
    run_id = launched(instance, GONE)
    log = Path(instance.storage_directory()) / "run_workers" / f"{run_id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("ModuleNotFoundError: No module named 'polars'")
    fail_lost_launches(instance, datetime.now(UTC) + 2 * LOST_AFTER)
    [told] = [entry.message for entry in instance.all_logs(run_id) if "never there" in entry.message]
    assert f"The process {GONE.pid} of {GONE.host} is gone." in told
    assert "No module named 'polars'" in told


def test_the_daemon_looks_for_them(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_core.orchestrator.launches.LOST_AFTER", timedelta(0))
    run_id = launched(instance, GONE)
    [monitoring] = [daemon for daemon in daemons_of(instance) if daemon.daemon_type() == "MONITORING"]
    assert monitoring.interval_seconds == instance.run_monitoring_poll_interval_seconds
    list(monitoring.run_iteration(SimpleNamespace(instance=instance, create_request_context=lambda: None)))
    assert status(instance, run_id) == FAILURE
