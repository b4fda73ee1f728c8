"""The webserver as a process, with tokens."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.platform_core.access.test_tokens import KEY, jwk, token
from tests.repository.tree import ROOT

TRY = 0.1
PATIENCE = 120.0
SCRAPER = "what-prometheus-sends"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk(KEY, "one")]}))
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "HEADRACE_ACCESS": "oidc", "HEADRACE_ACCESS_ISSUER": "https://idp.test", "HEADRACE_ACCESS_AUDIENCE": "headrace",
        "HEADRACE_ACCESS_KEYS": str(tmp_path / "keys.json"), "HEADRACE_ACCESS_ROLES": '{"pilots": ["production"]}',
        "HEADRACE_ACCESS_LOG": str(tmp_path / "access.jsonl"), "HEADRACE_NAMESPACE": "production",
        "HEADRACE_METRICS_TOKEN": SCRAPER,
    }  # fmt: skip
    command = [sys.executable, "-m", "platform_core.access", "--host", "0.0.0.0", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--workspace", str(tmp_path / "workspace.yaml")],
        env={**os.environ, **settings, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/server_info", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(address).raise_for_status()
        except httpx.HTTPError:
            time.sleep(TRY)
        else:
            return
    raise AssertionError(f"The webserver did not answer: {process.poll()}")


def test_who_has_a_token_is_let_in_metrics_are_told_and_decisions_are_kept(address: str, tmp_path: Path):
    query = {"query": "mutation { setAutoMaterializePaused(paused: true) }"}
    assert httpx.post(f"{address}/graphql", json=query).status_code == 401
    as_pilot = {"Authorization": f"Bearer {token()}"}
    as_guest = {"Authorization": f"Bearer {token(groups=[])}"}
    assert httpx.post(f"{address}/graphql", json=query, headers=as_guest).json()["data"] is None
    assert httpx.post(f"{address}/graphql", json=query, headers=as_pilot).json()["data"]
    assert "<html" in httpx.get(address, headers=as_guest).text.lower()
    as_prometheus = {"Authorization": f"Bearer {SCRAPER}"}
    for who in (as_guest, as_prometheus):
        assert 'headrace_runs{status="queued"} 0.0' in httpx.get(f"{address}/metrics", headers=who).text
    for stranger in ({}, {"Authorization": f"Bearer {SCRAPER}!"}, {"Authorization": "Bearer"}):
        assert httpx.get(f"{address}/metrics", headers=stranger).status_code == 401
    assert httpx.post(f"{address}/graphql", json=query, headers=as_prometheus).status_code == 401
    lines = [json.loads(line) for line in (tmp_path / "access.jsonl").read_text().splitlines()]
    assert [(line["decision"], line["user"]) for line in lines] == [
        ("denied", None),
        ("denied", "finn"),
        ("allowed", "finn"),
        *[("denied", None)] * 4,
    ]


def test_without_login_no_network_is_listened_to():
    done = subprocess.run(
        [sys.executable, "-m", "platform_core.access", "--host", "0.0.0.0"],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "HEADRACE_ACCESS=oidc" in done.stderr
    assert "Traceback" not in done.stderr
