"""Run workers of the tests: real processes that do what `dagster api execute_run` and `resume_run` do.

They are forked from a server that has the libraries loaded, as starting Dagster anew for every run would take longer
than the runs.
"""

import os
import signal
import sys
import traceback
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

import dagster as dg

from platform_core.compute import duty
from platform_core.compute.launcher import LocalRunLauncher
from platform_core.compute.run_worker import RunWorker, new_launch
from platform_core.orchestrator.runs import work_on_run

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["platform_core.layers", "platform_core.io_manager", "platform_core.compute.executor", "polars"]
)


class ForkingLauncher(LocalRunLauncher):
    """The platform's own launcher, except for how a process begins."""

    processes: Mapping[str, BaseProcess] = {}  # of all launchers of this process
    environment: Mapping[str, str] = {}  # what the next run worker finds in its environment

    @classmethod
    def kill(cls, run_id: str) -> None:
        """Takes a run worker away without a word."""
        process = cls.processes[run_id]
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    def _start(self, run: dg.DagsterRun, verb: str, kind: Any) -> None:
        environment = {**self.environment, **new_launch(self._instance, run.run_id)}
        process = _CONTEXT.Process(target=work, args=(environment, run.run_id, verb))
        process.start()
        ForkingLauncher.processes = {**self.processes, run.run_id: process}


def work(environment: Mapping[str, str], run_id: str, verb: str) -> None:
    """The run worker: this whole process, which looks more often than others whether the run is still its own."""
    duty.LOOK = 1.0
    os.environ.clear()
    os.environ.update(environment)
    _print_to(environment["BEHAVIOUR_LOG"])
    with dg.DagsterInstance.get() as instance:
        instance.add_run_tags(run_id, RunWorker.of(os.getpid(), "launcher").tags)
        try:
            work_on_run(run_id, instance, resume=verb == "resume_run")
        except BaseException:
            traceback.print_exc()
            raise


def _print_to(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(descriptor, stream.fileno())
