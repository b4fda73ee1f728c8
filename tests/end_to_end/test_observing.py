"""What a deployment tells of a small story with failures: in traces, in lines of JSON, and nowhere a secret."""

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import make_url

from tests.end_to_end.conftest import FLIGHTS, REPOSITORY, Headrace
from tests.end_to_end.small_repository import small_repository
from tests.platform_core.postgres import Postgres, running_postgres
from tests.platform_core.tracing.collector import Collector, collecting

PATIENCE = 180.0
CODE = '''
"""A feature that reads, one that fails, and one that is lost once."""

import os
import signal
from pathlib import Path

import dagster as dg
import polars as pl

from platform_core import Compute, fact, feature


@fact
def numbers(context: dg.AssetExecutionContext) -> pl.DataFrame:
    context.log.info("three numbers")
    return pl.DataFrame({"number": [1, 2, 3]})


@feature
def doubles(context: dg.AssetExecutionContext, numbers: pl.DataFrame) -> pl.DataFrame:
    context.log.warning("they are doubled")
    return numbers.with_columns(double=pl.col("number") * 2)


@feature
def broken(numbers: pl.DataFrame) -> pl.DataFrame:
    raise KeyError("a column that is not there")


@feature(compute=Compute(infrastructure_retries=1))
def unlucky(numbers: pl.DataFrame) -> pl.DataFrame:
    mark = Path(os.environ["UNLUCKY"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return numbers


@dg.asset_check(asset=numbers)
def are_many(numbers: pl.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=len(numbers) > 100, severity=dg.AssetCheckSeverity.WARN)
'''


@dataclass
class Story:
    """What was told, by whom, and the secrets that nobody may tell."""

    folder: Path
    collector: Collector
    canaries: dict[str, str]
    told: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / ".headrace"


def canary(name: str) -> str:
    return f"canary-{name}-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Story]:
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path_factory.mktemp("observing") / "repository")
    (folder / "code_locations" / "flights" / "assets.py").write_text(CODE)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    password = canary("database")
    canaries = {
        "HEADRACE_PROMOTION_SECRET": key.splitlines()[1],
        "HEADRACE_METRICS_TOKEN": canary("metrics"),
        "AWS_SECRET_ACCESS_KEY": canary("s3"),
        "AWS_SESSION_TOKEN": canary("session"),
        "OTEL_EXPORTER_OTLP_HEADERS": canary("collector"),
        "TEAM_API_KEY": canary("team"),
        "OAUTH2_PROXY_CLIENT_SECRET": canary("oidc"),
        "password": password,
    }
    with collecting() as collector:
        yield told(Story(folder, collector, canaries), postgres, {**canaries, "HEADRACE_PROMOTION_SECRET": key})


def told(story: Story, postgres: Postgres, secrets: dict[str, str]) -> Story:
    port, url = postgres.listen(secrets["password"]), make_url(postgres.url)
    database = f"postgresql://{url.username}:{secrets['password']}@127.0.0.1:{port}/{url.database}"
    variables = {
        **{name: value for name, value in secrets.items() if name.isupper()},
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={secrets['OTEL_EXPORTER_OTLP_HEADERS']}",
        "HEADRACE_REPOSITORY": str(story.folder),
        "PYTHONPATH": str(story.folder),
        "HEADRACE_CATALOG": database,
        "HEADRACE_DAGSTER": database,
        "HEADRACE_TRACES": story.collector.address,
        "HEADRACE_LOGS": "json",
        "HEADRACE_PRICES": '{"default": {"cpu": 3600}}',
        "UNLUCKY": str(story.folder.parent / "unlucky"),
        "PATH": f"{postgres.programs}:{os.environ['PATH']}",
    }
    headrace = Headrace(story.home, "production").having(**variables)

    def tell(name: str, *arguments: str, code: int = 0, by: Headrace = headrace) -> None:
        done = by(*arguments, cwd=story.folder)
        story.told[name] = done.stdout
        assert done.returncode == code, done.stdout

    tell("run", "run", code=1)
    tell("doctor", "doctor", "--no-code", "--json", code=1)
    tell("cost", "cost", "--by", "asset", "--json")
    tell("backup", "backup", str(story.home / "backup"))
    wrong = database.replace("127.0.0.1", "127.0.0.2").replace(str(port), "1")
    tell("no server", "namespace", "list", code=1, by=headrace.having(HEADRACE_CATALOG=wrong))
    tell("no URL", "namespace", "list", code=2, by=headrace.having(HEADRACE_CATALOG=database.replace("://", "//")))
    tell("no URL of Dagster's", "run", code=1, by=headrace.having(HEADRACE_DAGSTER=database.replace("://", "//")))
    visit(story, headrace)
    story.told["metrics alone"] = scraped(story, headrace)
    story.told["database"] = "\n".join(_dump(postgres))
    return story


def _dump(postgres: Postgres) -> list[str]:
    """Everything that both databases hold, as text."""
    columns = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables"
    tables = postgres.run(f"{columns} WHERE table_schema IN ('public', 'dagster') AND table_type = 'BASE TABLE'")
    return [row for table in tables for row in postgres.run(f"SELECT t::text FROM {table} t")]


def scraped(story: Story, headrace: Headrace) -> str:
    """What `headrace metrics` tells, which then ends with Ctrl-C."""
    port = _free_port()
    command = [str(REPOSITORY / ".venv/bin/headrace"), "metrics", "--port", str(port)]
    with (story.folder.parent / "metrics.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=story.folder, env=headrace.environment(), stdout=log, stderr=log, start_new_session=True
        )
    try:
        answered = _answer(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE), "/metrics", process)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(30) == 0
    return answered.text


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def visit(story: Story, headrace: Headrace) -> None:
    """Opens the UI, asks what goes wrong, and scrapes."""
    port = _free_port()
    (story.folder / "none.yaml").write_text("load_from: []\n")
    command = [sys.executable, "-m", "platform_core.access", "--port", str(port), "--workspace", "none.yaml"]
    with (story.folder.parent / "ui.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=story.folder, env=headrace.environment(), stdout=log, stderr=log)
    try:
        anew = httpx.Limits(max_keepalive_connections=0)  # a slow machine would use one that the server has given up
        ui = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, limits=anew)
        _answer(ui, "/server_info", process)
        runs = "{ runsOrError { ... on Runs { results { runId runConfigYaml tags { key value } } } } }"
        for query in (
            runs,
            "{ instance { info } }",
            "{ nothing",
            "mutation { launchRun(executionParams: {}) { __typename } }",
        ):
            story.told[query] = ui.post("/graphql", json={"query": query}).text
        for path in ("/", "/metrics", "/report_asset_check/x", "/no/such/page", "/logs/x", "/debug"):
            story.told[f"GET {path}"] = ui.get(path).text
    finally:
        process.terminate()
        process.wait(30)
    story.told["ui"] = (story.folder.parent / "ui.log").read_text()


def _answer(server: httpx.Client, path: str, process: "subprocess.Popen[bytes]") -> httpx.Response:
    """What a server answers once it is there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            return server.get(path).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"Nothing answered: {process.poll()}")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"time"')]


def test_a_trace_goes_from_the_run_to_each_step_and_to_the_store(story: Story) -> None:
    spans = story.collector.spans
    (run,) = [span for span in spans if not span.parent]
    assert run.name.startswith("run ")
    assert run.trace == uuid.UUID(run.about["headrace.run"]).hex
    assert {span.trace for span in spans} == {run.trace}
    assert {span.resource["headrace.namespace"] for span in spans} == {"production"}
    steps = {span.about["headrace.step"]: span for span in spans if span.name.startswith("step ")}
    assert set(steps) >= {"flights__numbers", "flights__doubles", "flights__broken", "flights__unlucky"}
    assert {span.parent for span in steps.values()} == {run.id}
    assert (run.failed, steps["flights__broken"].failed, steps["flights__doubles"].failed) == (
        "a step failed",
        "KeyError",
        "",
    )
    of_doubles = {span.name: span for span in spans if span.parent == steps["flights__doubles"].id}
    assert set(of_doubles) == {"store.read", "store.write", "catalog.commit"}
    assert of_doubles["store.read"].about["headrace.asset"] == "flights/numbers"
    assert of_doubles["store.write"].about["headrace.bytes"] > 0
    assert run.seconds >= max(span.seconds for span in steps.values())
    assert all("canary-collector" in headers["authorization"] for headers in story.collector.headers)


def test_each_line_of_a_log_says_what_it_is_about(story: Story) -> None:
    run_id = next(span.about["headrace.run"] for span in story.collector.spans if not span.parent)
    printed = {line["message"]: line for line in _captured(story)}
    said = printed["they are doubled"]
    assert (said["level"], said["namespace"], said["run"], said["step"], said["asset"]) == (
        "warning", "production", run_id, "flights__doubles", "flights/doubles",
    )  # fmt: skip
    assert printed["three numbers"]["asset"] == "flights/numbers"
    refused = lines(story.told["no URL"])
    assert [line["level"] for line in refused] == ["error"]
    assert "is not a database URL" in refused[0]["message"]
    for text in (story.told["ui"], *map(Path.read_text, _logs(story))):
        assert [line for line in text.splitlines() if not line.startswith('{"time"')] == []
        assert all({"namespace", "run", "asset", "level"} <= set(line) for line in lines(text))


def _logs(story: Story) -> list[Path]:
    return [path for path in story.home.rglob("*.err") if path.stat().st_size]


def _captured(story: Story) -> list[dict[str, Any]]:
    return [line for path in _logs(story) for line in lines(path.read_text())]


def test_what_it_cost_is_told_by_the_command_and_by_metrics(story: Story) -> None:
    costs = {item["asset"]: item for item in json.loads(story.told["cost"])}
    assert set(costs) == {"flights/numbers", "flights/doubles", "flights/unlucky"}
    assert costs["flights/doubles"]["cost"] == pytest.approx(costs["flights/doubles"]["seconds"], rel=0.01)
    for scrape in ("GET /metrics", "metrics alone"):
        assert 'headrace_cost_total{asset="flights/doubles"' in story.told[scrape]
        assert 'headrace_up{source="dagster"} 1.0' in story.told[scrape]
    assert "headrace/cost" in story.told["database"]


def test_no_secret_is_told_anywhere(story: Story) -> None:
    """But by the headers to the collector, which are what it is for."""
    texts = {**story.told, **_files(story)}
    texts |= {f"trace {number}": body.decode("latin-1") for number, body in enumerate(story.collector.bodies)}
    assert len(texts["database"]) > 10_000
    assert any(name.endswith(".err") for name in texts)
    assert any("backup" in name for name in texts)
    found = [(name, of) for name, text in texts.items() for of, secret in story.canaries.items() if secret in text]
    assert found == []


def _files(story: Story) -> dict[str, str]:
    """Every file that the story left, also what is packed."""
    found = {}
    for path in [*story.home.rglob("*"), *story.folder.parent.glob("*.log")]:
        if path.is_file():
            content = path.read_bytes()
            packed = content.startswith(b"\x1f\x8b")
            found[str(path)] = (gzip.decompress(content) if packed else content).decode("latin-1")
    return found


def test_the_repository_is_the_one_under_test(story: Story) -> None:
    assert (story.folder / "platform_core").resolve() == REPOSITORY / "platform_core"
