"""Launches runs from the UI and the daemon as processes that outlive both, and resumes those whose process died."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.compute.run_worker import RunWorker, new_launch
from platform_core.dagster_internals import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    ExecuteRunArgs,
    LaunchRunContext,
    ResumeRunArgs,
    ResumeRunContext,
    RunLauncher,
    WorkerStatus,
    serialize_value,
)
from platform_core.logs import logged

TOLD = 4000  # characters of a run worker's output that are told when it died
GONE = (
    "Its command is gone: it was killed, or its terminal closed. Start it again; what is there is not computed again."
)


class LocalRunLauncher(RunLauncher[Any], ConfigurableClass):
    """Each run is a process of this machine in the interpreter of its location.

    For `dagster.yaml`, together with `run_monitoring`, which asks after the processes and resumes runs.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> "LocalRunLauncher":  # noqa: ARG003
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        self._start(context.dagster_run, "execute_run", ExecuteRunArgs)

    @property
    def supports_resume_run(self) -> bool:
        return True

    def resume_run(self, context: ResumeRunContext) -> None:
        worker = RunWorker.from_tags(context.dagster_run.tags)
        if worker is None or worker.by == "command":
            self._instance.report_run_failed(context.dagster_run, GONE)
        else:
            self._start(context.dagster_run, "resume_run", ResumeRunArgs)

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        worker = RunWorker.from_tags(run.tags) if run else None
        if run is None or run.is_finished:
            return False
        if worker is not None and worker.is_alive:
            self._instance.report_run_canceling(run)
            os.kill(worker.pid, signal.SIGTERM)
            return True
        return self._terminate_without_worker(run, worker)

    def _terminate_without_worker(self, run: dg.DagsterRun, worker: RunWorker | None) -> bool:
        if worker is not None and worker.by == "command":  # its steps ended with it
            self._instance.report_run_canceled(run)
            return True
        self._instance.report_engine_event(
            "Its run worker is gone; in a few seconds a new one takes charge of it. Then end it again.", run
        )
        return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        worker = RunWorker.from_tags(run.tags)
        if worker is None and run.status == dg.DagsterRunStatus.STARTING:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "It has no process yet.")
        if worker is None or worker.is_alive:  # of a run that something else started nothing is known
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"The process {worker.pid} of {worker.host} is gone.")

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:  # noqa: ARG002
        """The last of what the run worker printed."""
        log = self._log_file(run.run_id)
        return log.read_text(errors="replace")[-TOLD:] if log.is_file() else None

    def _start(self, run: dg.DagsterRun, verb: str, kind: Any) -> None:
        origin: Any = run.job_code_origin
        request = serialize_value(kind(job_origin=origin, run_id=run.run_id, instance_ref=self._instance.get_ref()))
        launch = new_launch(self._instance, run.run_id)
        with self._log_file(run.run_id).open("ab") as log:
            process = subprocess.Popen(
                logged([origin.repository_origin.executable_path, "-m", "dagster", "api", verb, request]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **launch},
                start_new_session=True,  # so that it goes on when the webserver or the daemon ends
            )
        self._instance.add_run_tags(run.run_id, RunWorker.of(process.pid, "launcher").tags)

    def _log_file(self, run_id: str) -> Path:
        folder = Path(self._instance.storage_directory()) / "run_workers"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{run_id}.log"
