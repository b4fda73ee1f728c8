"""Jobs of the double: pretended ones that follow a script, and real processes."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_core.compute.processes import descendants, own_bytes, signal_all

STOP_SECONDS = 3.0  # between SIGTERM and SIGKILL; 30 in the real one
MIB = 1024 * 1024


@dataclass(frozen=True)
class Script:
    """What happens to a job: seconds in each state, and how it ends."""

    runnable: float = 0.0
    starting: float = 0.0
    running: float = 0.0
    exit_code: int | None = 0
    reason: str = ""  # of the container
    status_reason: str = "Essential container in task exited"
    waiting_reason: str = ""  # while it is RUNNABLE
    log: tuple[str, ...] = ("a line",)


@dataclass
class Job:
    """A job, or a child of an array."""

    id: str
    request: Mapping[str, Any]
    definition: Mapping[str, Any]
    script: Script
    index: int | None = None
    begun: float = field(default_factory=time.time)
    stopped: float | None = None  # when it was terminated or its process ended
    stop_reason: str = ""
    by_request: bool = False
    exit_code: int | None = None
    container_reason: str = ""
    output: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    is_real: bool = False

    @property
    def status(self) -> str:
        if self.is_real:
            return self._status_of_process()
        if self.stopped:
            return "FAILED"
        passed, script = time.time() - self.begun, self.script
        for state, seconds in (("RUNNABLE", script.runnable), ("STARTING", script.starting)):
            if passed < seconds:
                return state
            passed -= seconds
        if passed < script.running:
            return "RUNNING"
        return "SUCCEEDED" if script.exit_code == 0 else "FAILED"

    def _status_of_process(self) -> str:
        if self.stopped is None:
            return "RUNNING" if self.process else "STARTING"
        return "SUCCEEDED" if self.exit_code == 0 else "FAILED"

    @property
    def environment(self) -> dict[str, str]:
        given = self.definition["containerProperties"].get("environment", [])
        overridden = self.request.get("containerOverrides", {}).get("environment", [])
        own = {"AWS_BATCH_JOB_ID": self.id, "AWS_BATCH_JOB_ATTEMPT": "1", "AWS_BATCH_JQ_NAME": "queue"}
        array = {"AWS_BATCH_JOB_ARRAY_INDEX": str(self.index)} if self.index is not None else {}
        return {each["name"]: each["value"] for each in [*given, *overridden]} | own | array

    @property
    def resources(self) -> dict[str, str]:
        given = self.definition["containerProperties"]["resourceRequirements"]
        overridden = self.request.get("containerOverrides", {}).get("resourceRequirements", [])
        return {each["type"]: each["value"] for each in [*given, *overridden]}

    def stop(self, reason: str, by_request: bool = True) -> None:
        """What `TerminateJob` does, and what a timeout does."""
        if self.status in ("SUCCEEDED", "FAILED"):
            return
        self.stop_reason, self.by_request = reason, by_request
        if not self.is_real:
            self.exit_code = 143 if self.status == "RUNNING" else None
            self.stopped = time.time()
        elif self.process:
            signal_all([self.process.pid], signal.SIGTERM)
            threading.Timer(STOP_SECONDS * 5, self._kill).start()

    def run(self, environment: Mapping[str, str], python: str) -> None:
        """Runs the command of the definition as a process of this machine."""
        command = [python if part == "python" else part for part in self.definition["containerProperties"]["command"]]
        with tempfile.TemporaryFile("w+") as output:
            try:
                self.process = subprocess.Popen(
                    command, env=dict(environment), stdout=output, stderr=output, text=True, start_new_session=True
                )
            except OSError as error:
                self.container_reason, self.stopped = f"CannotStartContainerError: {error}", time.time()
                return
            if self.stop_reason:  # it was asked to end while it started
                signal_all([self.process.pid], signal.SIGTERM)
            code = self._wait(self.process)
            output.seek(0)
            self.output = output.read().splitlines()
        self.exit_code = code if code >= 0 else 128 - code
        self.stopped = time.time()

    def _wait(self, process: "subprocess.Popen[str]") -> int:
        limit = int(self.resources["MEMORY"]) * MIB
        seconds = self.request.get("timeout", {}).get("attemptDurationSeconds", 10**9)
        while process.poll() is None:
            family = [process.pid, *descendants(process.pid)]
            if sum(map(own_bytes, family)) > limit:
                self.container_reason = "OutOfMemoryError: Container killed due to memory usage"
                signal_all(family, signal.SIGKILL)
            if time.time() - self.begun > seconds and not self.stop_reason:
                self.stop("Job attempt duration exceeded timeout", by_request=False)
            time.sleep(0.2)
        return process.returncode

    def _kill(self) -> None:
        if self.process and self.process.poll() is None:
            signal_all([*descendants(self.process.pid), self.process.pid], signal.SIGKILL)

    def describe(self) -> dict[str, Any]:
        status = self.status
        told: dict[str, Any] = {
            "jobId": self.id,
            "jobArn": f"arn:aws:batch:us-east-1:123456789012:job/{self.id}",
            "jobName": self.request["jobName"],
            "jobQueue": f"arn:aws:batch:us-east-1:123456789012:job-queue/{self.request['jobQueue']}",
            "jobDefinition": self.request["jobDefinition"],
            "status": status,
            "createdAt": int(self.begun * 1000),
            "startedAt": int(self.begun * 1000),
            "tags": dict(self.request.get("tags", {})) if self.index is None else {},
            "container": {"image": self.definition["containerProperties"]["image"], "environment": []},
            "attempts": [],
        }
        if self.index is not None:
            told["arrayProperties"] = {"index": self.index}
        if status == "RUNNABLE" and self.script.waiting_reason:
            told["statusReason"] = self.script.waiting_reason
        if status in ("SUCCEEDED", "FAILED"):
            told |= self._ending()
        return told

    def _ending(self) -> dict[str, Any]:
        told: dict[str, Any] = {"statusReason": self.stop_reason or self.script.status_reason}
        code = self.exit_code if self.is_real or self.stopped else self.script.exit_code
        reason = self.container_reason or self.script.reason
        container: dict[str, Any] = {} if code is None else {"exitCode": code, "logStreamName": f"{self.id}/log"}
        container |= {"reason": reason} if reason else {}
        if not (self.by_request and code is None):
            told["attempts"] = [{"container": container, "statusReason": told["statusReason"]}]
        told["container"] = container
        return told | ({"isTerminated": True} if self.by_request else {})

    @property
    def lines(self) -> list[str]:
        return self.output if self.is_real else list(self.script.log)


def machine_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a container of this machine would have: its path, and no more of this process."""
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | dict(given)
