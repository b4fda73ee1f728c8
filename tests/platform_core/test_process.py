"""The processes of a deployment: what they become, and what their probes find out."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from platform_core import process
from platform_core.daemon.lease import Lease
from platform_core.instance_settings import instance_settings
from platform_core.process import code_answers, daemon_lives, main
from tests.platform_core.catalog.conftest import postgres
from tests.platform_core.postgres import Postgres
from tests.repository.tree import ROOT

__all__ = ["postgres"]


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What a process became, which only tests survive."""
    found: list[list[str]] = []
    monkeypatch.setattr("os.execvp", lambda _, command: found.append(list(command)))
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    monkeypatch.setenv("DAGSTER_HOME", "/elsewhere")
    return found


def test_a_code_server_serves_its_location_and_says_in_which_image(become: list[list[str]]):
    main(["code", "--port", "4001", "flights", "registry/flights@sha256:1"])
    ((interpreter, *command),) = become
    assert interpreter == sys.executable
    assert command[:5] == ["-m", "dagster", "api", "grpc", "-m"]
    assert command[5] == "code_locations.flights.definitions"
    assert command[command.index("--container-image") + 1] == "registry/flights@sha256:1"
    assert command[command.index("--port") + 1] == "4001"


def test_each_finds_the_home_of_its_instance_made(
    become: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    main(["run", "python", "-m", "dagster", "api", "execute_run", "--", "{}"])
    assert become == [["python", "-m", "dagster", "api", "execute_run", "--", "{}"]]
    assert (tmp_path / "home" / "dagster" / "production" / "dagster.yaml").exists()


def test_a_wrong_setting_is_a_sentence(become: list[list[str]], capsys: pytest.CaptureFixture[str]):
    assert main(["code", "flihgts", "x"]) == 2
    assert "Did you mean flights?" in capsys.readouterr().err
    assert not become


def test_a_code_server_lives_once_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "PATIENCE", 5.0)
    server, told = grpc.server(ThreadPoolExecutor(2)), health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(told, server)
    port = str(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    try:
        assert not code_answers(port)
        told.set("DagsterApi", health_pb2.HealthCheckResponse.NOT_SERVING)
        assert main(["code-answers", "--port", port]) == 1
        told.set("DagsterApi", health_pb2.HealthCheckResponse.SERVING)
        assert main(["code-answers", "--port", port]) == 0
    finally:
        server.stop(0)


def test_a_daemon_lives_while_it_stands_by_or_all_of_its_parts_are_heard_of(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    for name, value in {"DAGSTER": postgres.url, "NAMESPACE": "production"}.items():
        monkeypatch.setenv(f"HEADRACE_{name}", value)
    postgres.run(
        "CREATE SCHEMA IF NOT EXISTS dagster",
        "CREATE TABLE dagster.daemon_heartbeats (daemon_type text, daemon_id text, timestamp timestamp)",
    )

    def beat(daemon: str, part: str, seconds: int) -> None:
        then = f"now() AT TIME ZONE 'utc' - interval '{seconds} seconds'"
        postgres.run(f"INSERT INTO dagster.daemon_heartbeats VALUES ('{part}', '{daemon}', {then})")

    there = instance_settings().url
    assert main(["daemon-lives"]) == 1  # nobody was ever heard of
    one, other = Lease(there, f"{socket.gethostname()}/1", 600), Lease(there, "elsewhere/1", 600)
    one.prepare()
    other.take()
    assert not daemon_lives()
    one.beat()
    assert main(["daemon-lives"]) == 0
    other.release(1)
    one.take()
    assert not daemon_lives()  # it leads, and does nothing
    beat("earlier", "RETIRED", 90_000)
    assert not daemon_lives()
    beat("now", "SENSOR", 20)
    beat("now", "SCHEDULER", 600)
    assert main(["daemon-lives"]) == 0
    beat("now", "BACKFILL", 3_000)
    assert not daemon_lives()
    postgres.run("DROP SCHEMA dagster CASCADE")


def test_without_postgresql_nobody_can_say_whether_the_daemon_lives(capsys: pytest.CaptureFixture[str]):
    assert main(["daemon-lives"]) == 2
    assert "HEADRACE_DAGSTER" in capsys.readouterr().err


def test_where_nobody_listens_nobody_lives():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert not code_answers(str(port))
