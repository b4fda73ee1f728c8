"""The process that orchestrates a run, as the run's tags tell of it."""

import json
import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from platform_core.compute.processes import started_at

if TYPE_CHECKING:
    import dagster as dg

WORKER_TAG = "headrace/run_worker"
LAUNCH_TAG = "headrace/launch"
LAUNCH = "HEADRACE_LAUNCH"  # the variable that tells a run worker by which launch, and of which run, it is there
SUPERSEDED = 3  # with which a run worker ends whose run is no longer its own
By = Literal["command", "launcher"]


@dataclass(frozen=True)
class RunWorker:
    """A process on one machine, told apart from a later one with the same number by when it started.

    `by` says who started it: a person's command ends with that person's terminal, a launcher's run is resumed.
    """

    by: By
    host: str
    pid: int
    started: int

    @classmethod
    def of(cls, pid: int, by: By) -> "RunWorker":
        return cls(by, socket.gethostname(), pid, started_at(pid) or 0)

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> "RunWorker | None":
        return cls(**json.loads(tags[WORKER_TAG])) if WORKER_TAG in tags else None

    @property
    def tags(self) -> dict[str, str]:
        return {WORKER_TAG: json.dumps(asdict(self))}

    @property
    def is_alive(self) -> bool:
        return self.host == socket.gethostname() and started_at(self.pid) == self.started


def new_launch(instance: "dg.DagsterInstance", run_id: str) -> dict[str, str]:
    """Notes that a run is about to be launched, which the database refuses to a daemon that no longer leads.

    Returns the variables that its run worker needs.
    """
    launch = f"{run_id}/{uuid4().hex}"
    instance.add_run_tags(run_id, {LAUNCH_TAG: launch})
    return {LAUNCH: launch}


def launch_of(run_id: str) -> str:
    """By which launch this process works on a run; empty for a command's own."""
    launch = os.environ.get(LAUNCH, "")
    return launch if launch.startswith(f"{run_id}/") else ""


def report_for_duty(instance: "dg.DagsterInstance", run_id: str) -> bool:
    """Lets this process be the run worker of a run that a launcher started. Whoever did may have died, or been paused
    and overtaken, before it noted which process that is; so two processes may come to be there for one run.

    Returns False to all but the last that was launched. To that one it gives the run, and ends one that was before.
    """
    launch = launch_of(run_id)
    if not launch:
        return True
    run = instance.get_run_by_id(run_id)
    tags = run.tags if run else {}
    if tags.get(LAUNCH_TAG) != launch:
        return False
    before, this = RunWorker.from_tags(tags), RunWorker.of(os.getpid(), "launcher")
    if before is not None and before.is_alive and before != this:
        os.kill(before.pid, signal.SIGKILL)  # its steps go on, and are this one's
    instance.add_run_tags(run_id, this.tags)
    return True


def will_be_resumed(instance: "dg.DagsterInstance", run: "dg.DagsterRun") -> bool:
    """Whether another run worker goes on with the run when its own dies."""
    worker = RunWorker.from_tags(run.tags)
    by_command = worker is not None and worker.by == "command"
    return not by_command and instance.run_will_resume(run.run_id)


def this_command() -> RunWorker:
    """This process, which runs on behalf of a person at a terminal."""
    return RunWorker.of(os.getpid(), "command")
