"""Runs of the UI and the daemon: which process each is, whether it lives, and what becomes of one that does not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from platform_core.compute.launcher import GONE, LocalRunLauncher
from platform_core.compute.run_worker import LAUNCH, RunWorker, new_launch, report_for_duty, this_command
from platform_core.dagster_internals import WorkerStatus
from platform_core.orchestrator.runs import LocationOrigin
from tests.platform_core.compute.backends.local.zygotes import eventually
from tests.platform_core.compute.doubles import a_run

STARTED, CANCELING = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": "platform_core.compute.launcher", "class": "LocalRunLauncher"}
    with dg.instance_for_test(
        temp_dir=str(tmp_path_factory.mktemp("dagster")), overrides={"run_launcher": launcher}
    ) as instance:
        yield instance


@pytest.fixture
def launcher(instance: dg.DagsterInstance) -> LocalRunLauncher:
    assert isinstance(instance.run_launcher, LocalRunLauncher)
    return instance.run_launcher


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Something that lives until it is asked to end."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def gone() -> RunWorker:
    return RunWorker("launcher", this_command().host, 2**22 + 1, 1)


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def resumed(run: dg.DagsterRun) -> Any:
    return SimpleNamespace(dagster_run=run)


def test_dagster_makes_it_from_its_configuration(launcher: LocalRunLauncher) -> None:
    assert launcher.supports_resume_run
    assert launcher.supports_check_run_worker_health
    assert launcher.inst_data is not None


def test_a_run_lives_as_long_as_its_process(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher, process: subprocess.Popen[bytes]
) -> None:
    run = a_run(instance, RunWorker.of(process.pid, "launcher"))
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    process.kill()
    process.wait()
    health = launcher.check_run_worker_health(run)
    assert health.status == WorkerStatus.NOT_FOUND
    assert health.msg == f"The process {process.pid} of {this_command().host} is gone."


def test_of_a_run_that_something_else_started_nothing_is_known(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher
) -> None:
    assert launcher.check_run_worker_health(a_run(instance)).status == WorkerStatus.RUNNING


def test_a_run_that_is_ended_is_asked_to(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher, process: subprocess.Popen[bytes]
) -> None:
    run = a_run(instance, RunWorker.of(process.pid, "launcher"))
    assert launcher.terminate(run.run_id)
    assert process.wait(10) == -signal.SIGTERM
    assert status(instance, run) == CANCELING


def test_a_run_whose_worker_is_gone_is_ended_by_the_next_one(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher
) -> None:
    run = a_run(instance, gone())
    assert not launcher.terminate(run.run_id)
    assert status(instance, run) == STARTED
    (entry,) = [each for each in instance.all_logs(run.run_id) if "is gone" in each.message]
    assert "a new one takes charge of it" in entry.message


def test_a_run_whose_command_is_gone_is_over(instance: dg.DagsterInstance, launcher: LocalRunLauncher) -> None:
    with subprocess.Popen(["true"]) as process:
        worker = RunWorker.of(process.pid, "command")
    run = a_run(instance, worker)
    assert launcher.terminate(run.run_id)
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.CANCELED


def test_what_is_over_or_unknown_is_not_ended(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher, process: subprocess.Popen[bytes]
) -> None:
    run = a_run(instance, RunWorker.of(process.pid, "launcher"))
    instance.report_run_failed(run)
    assert not launcher.terminate(run.run_id)
    assert not launcher.terminate("11111111-1111-1111-1111-111111111111")
    assert process.poll() is None


@pytest.mark.parametrize("worker", [this_command(), None])
def test_a_command_is_not_resumed_behind_the_back_of_who_gave_it(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher, worker: RunWorker | None
) -> None:
    run = a_run(instance, worker)
    launcher.resume_run(resumed(run))
    assert status(instance, run) == dg.DagsterRunStatus.FAILURE
    assert GONE in [each.dagster_event.message for each in instance.all_logs(run.run_id) if each.dagster_event]


@pytest.mark.parametrize("verb", ["execute_run", "resume_run"])
def test_a_run_is_a_process_of_the_locations_interpreter(
    instance: dg.DagsterInstance, launcher: LocalRunLauncher, tmp_path: Any, verb: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport os, sys\nprint(sys.argv[2:4], os.getsid(0) == os.getpid())\n")
    python.chmod(0o755)
    run = a_run(instance, gone(), LocationOrigin("t", "code_locations.t.definitions", "defs", python))
    (launcher.launch_run if verb == "execute_run" else launcher.resume_run)(resumed(run))
    found = instance.get_run_by_id(run.run_id)
    worker = RunWorker.from_tags(found.tags) if found else None
    assert worker is not None
    assert (worker.by, worker.host) == ("launcher", this_command().host)
    assert eventually(lambda: launcher.get_run_worker_debug_info(run)) == "['dagster', 'api'] True\n"


def test_a_run_belongs_to_the_process_that_was_launched_last(
    instance: dg.DagsterInstance, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(instance, RunWorker.of(process.pid, "launcher"))
    first, second = new_launch(instance, run.run_id), new_launch(instance, run.run_id)
    monkeypatch.setenv(LAUNCH, first[LAUNCH])  # by a daemon that was paused before it started it, say
    assert not report_for_duty(instance, run.run_id)
    assert process.poll() is None
    monkeypatch.setenv(LAUNCH, second[LAUNCH])
    assert report_for_duty(instance, run.run_id)
    assert process.wait(10) == -signal.SIGKILL
    found = instance.get_run_by_id(run.run_id)
    worker = RunWorker.from_tags(found.tags) if found else None
    assert worker == RunWorker.of(os.getpid(), "launcher")  # whoever launched it need not have noted that
    assert report_for_duty(instance, run.run_id)


def test_a_command_within_a_run_has_a_run_of_its_own(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer, inner = a_run(instance), a_run(instance, this_command())
    monkeypatch.setenv(LAUNCH, new_launch(instance, outer.run_id)[LAUNCH])
    assert report_for_duty(instance, inner.run_id)


def test_what_a_run_worker_printed_last_is_told(instance: dg.DagsterInstance, launcher: LocalRunLauncher) -> None:
    run = a_run(instance)
    assert launcher.get_run_worker_debug_info(run) is None
    launcher._log_file(run.run_id).write_text("x" * 9000 + "the end")
    assert (launcher.get_run_worker_debug_info(run) or "")[-10:] == "xxxthe end"
    assert len(launcher.get_run_worker_debug_info(run) or "") == 4000
