"""The first visit to the UI of a new branch while `headrace ui` runs, against one `dagster dev` for the branch."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpx

from benchmarks.bench_catalog import Limited
from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from tests.end_to_end.conftest import REPOSITORY, Headrace
from tests.end_to_end.running_ui import PATIENCE, running_ui
from tests.end_to_end.small_repository import git, small_repository

SUBJECT, REFERENCE = "first answer of a new branch in `headrace ui`", "first answer of `dagster dev`"
ROUNDS, SECONDS = 3, 1.5
ASSETS = {"query": "{ assetNodes { assetKey { path } } }"}


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        repository = small_repository(Path(folder) / "repository")
        variables = {"HEADRACE_REPOSITORY": str(repository), "PYTHONPATH": str(repository)}
        headrace = Headrace(repository / ".headrace", "production").having(**variables)
        for number in range(ROUNDS + 1):  # one of them warms up
            git(repository, "branch", f"branch-{number}")
            headrace("branch", "open", f"branch-{number}", cwd=repository)
        with running_ui(headrace, repository) as ui:
            _answer(f"{ui.address}/branch/branch-{ROUNDS}")  # so that the zygotes are there
            samples = interleaved(
                [
                    Contender(SUBJECT, _visit(ui.address)),
                    Contender(REFERENCE, lambda: _dagster_dev(headrace, repository)),
                ],
                rounds=ROUNDS,
                warm_up=False,
            )
    return Limited(
        claim="The UI of a new branch answers GraphQL within 1.5 s, a third of what `dagster dev` takes",
        subject=SUBJECT,
        reference=REFERENCE,
        target=0.33,
        samples=samples,
        limits={SUBJECT: SECONDS},
    )


def _visit(address: str) -> Callable[[], None]:
    numbers = count()
    return lambda: _answer(f"{address}/branch/branch-{next(numbers)}")


def _answer(address: str) -> None:
    """Returns when all assets of the small repository are told."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            answer = httpx.post(f"{address}/graphql", json=ASSETS, timeout=PATIENCE).json()
            if answer["data"]["assetNodes"]:
                return
        time.sleep(0.02)
    raise BenchmarkError(f"{address} did not answer.")


def _dagster_dev(headrace: Headrace, repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        command = [str(REPOSITORY / ".venv" / "bin" / "dagster"), "dev", "--port", str(port), "-w", "workspace.yaml"]
        process = subprocess.Popen(
            command, cwd=repository, env={**headrace.environment(), "DAGSTER_HOME": home}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _answer(f"http://127.0.0.1:{port}")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
