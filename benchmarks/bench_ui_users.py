"""Two hundred people who look at the UI at once: each loads its page, and asks what the page keeps asking."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from benchmarks.small_location import commands_in
from tests.end_to_end.conftest import REPOSITORY

USERS, LOOKS, PAUSE = 200, 5, 1.0
PATIENCE = 60  # seconds until an answer counts as lost
OURS, PEER = f"{USERS} users, headrace ui", f"{USERS} users, dagster-webserver"
QUERIES = (
    "{ assetNodes { assetKey { path } hasMaterializePermission isPartitioned kinds } }",
    "{ runsOrError(limit: 25) { ... on Runs { results { id status startTime endTime tags { key value } } } } }",
    "{ workspaceOrError { ... on Workspace { locationEntries { name permissions { permission value } } } } }",
    "{ assetNodes { assetKey { path } assetMaterializations(limit: 1) { timestamp runId } } }",
)


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        headrace, repository = commands_in(Path(folder), "numbers")
        binaries = REPOSITORY / ".venv" / "bin"
        home = {**headrace.environment(), "DAGSTER_HOME": str(headrace.home / "dagster" / "user-ann")}
        plain = [sys.executable, "-m", "dagster_webserver", "-w", str(repository / "workspace.yaml"), "-p"]
        with (
            _served([str(binaries / "headrace"), "ui", "--port"], headrace.environment(), repository) as ours,
            _served(plain, home, repository) as theirs,
        ):
            samples = interleaved([Contender(OURS, _users(ours)), Contender(PEER, _users(theirs))], 3)
    return Comparison(
        claim=f"{USERS} users at once get all their answers, and wait at most 1.3 times as long as at Dagster's own UI",
        subject=OURS,
        reference=PEER,
        target=1.3,
        samples=samples,
    )


@contextmanager
def _served(command: list[str], environment: dict[str, str], repository: Path) -> Iterator[str]:
    """A UI's address, until it is ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*command, str(port)], cwd=repository, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait()


def _await(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            if "flights" in httpx.post(f"{address}/graphql", json={"query": QUERIES[2]}, timeout=PATIENCE).text:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
        if process.poll() is not None:
            break
    raise BenchmarkError(f"Nothing answers at {address}.")


def _users(address: str) -> Callable[[], None]:
    async def user(client: httpx.AsyncClient, number: int) -> None:
        await asyncio.sleep(number / USERS * PAUSE)
        page = await client.get("/")
        _require(page.status_code == httpx.codes.OK and re.search("<script", page.text) is not None, page)
        for look in range(LOOKS):
            answer = await client.post("/graphql", json={"query": QUERIES[(number + look) % len(QUERIES)]})
            _require(answer.status_code == httpx.codes.OK and "errors" not in answer.json(), answer)
            await asyncio.sleep(PAUSE)

    async def all_of_them() -> None:
        # Browsers ask anew when a server had just given up a connection; here none is kept as long.
        limits = httpx.Limits(max_connections=USERS, keepalive_expiry=2)
        async with httpx.AsyncClient(base_url=address, limits=limits, timeout=PATIENCE) as client:
            await asyncio.gather(*(user(client, number) for number in range(USERS)))

    return lambda: asyncio.run(all_of_them())


def _require(is_well: bool, answer: httpx.Response) -> None:
    if not is_well:
        raise BenchmarkError(f"{answer.request.url} gave {answer.status_code}: {answer.text[:200]}")
