"""`headrace ui` as a process, asked over GraphQL as its own pages do."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.conftest import REPOSITORY, Headrace

PATIENCE = 180  # seconds, on a slow machine that does other things too
LAUNCH = """
mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
} }"""


@dataclass(frozen=True)
class RunningUI:
    """A UI that answers."""

    address: str
    process: "subprocess.Popen[bytes]"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", timeout=PATIENCE, follow_redirects=True)

    def ask(self, query: str, path: str = "", **variables: Any) -> Any:
        """The data of an answer."""
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.address}{path}/graphql", json=body, timeout=PATIENCE)
        told = answer.json()
        assert "errors" not in told, told
        return told["data"]

    def materialize(self, assets: list[str], path: str = "") -> str:
        """Launches a run of assets of the location flights, as a click does, and gives its id when it ended well."""
        params = {
            "selector": {
                "repositoryLocationName": "flights",
                "repositoryName": "__repository__",
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": ["flights", asset]} for asset in assets],
            },
            "runConfigData": "{}",
        }
        launched = self.ask(LAUNCH, path, params=params)["launchPipelineExecution"]
        run = str(launched["run"]["runId"])
        eventually(lambda: self.status(run, path) in ("SUCCESS", "FAILURE"))
        assert self.status(run, path) == "SUCCESS"
        return run

    def status(self, run: str, path: str = "") -> str | None:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        found: dict[str, str] = self.ask(query, path, id=run)["runOrError"]
        return found.get("status")


@contextmanager
def running_ui(headrace: Headrace, folder: Path, *, quiet: bool = True) -> Iterator[RunningUI]:
    """The UI of a repository. When it is stopped, none of its processes may be left.

    Args:
        quiet: whether what it prints may have no warning and no traceback.
    """
    log = headrace.home / "ui.log"
    command = [str(REPOSITORY / ".venv" / "bin" / "headrace"), "ui", "--port", str(_free_port())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=headrace.environment(), stdout=output, stderr=output)
    try:
        eventually(lambda: b"is up at" in log.read_bytes() or process.poll() is not None)
        found = re.search(r"is up at (http://\S+)", log.read_text())
        assert found, log.read_text()
        yield RunningUI(found[1], process)
        assert process.poll() is None, log.read_text()
        assert not quiet or "Traceback" not in log.read_text(), log.read_text()
        assert not quiet or "Warning" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        process.wait(PATIENCE)
        left = processes_with(f"HEADRACE_HOME={headrace.home}")
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert not left, f"`headrace ui` ended and left running: {left}"


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


def processes_with(variable: str) -> dict[int, str]:
    """The commands of running processes that have a variable of this value, by process id. Linux only."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
