"""Logs as lines of JSON: whoever makes the handler, each line says what it is about."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from platform_core.logs import ASSET, about, line_of, logged
from tests.repository.tree import ROOT

LOUD = """
import logging, logging.config, sys, warnings
from platform_core.logs import about

logging.config.dictConfig({
    "version": 1,
    "formatters": {"own": {"format": "OWN %(message)s"}},
    "handlers": {
        "stream": {"class": "logging.StreamHandler", "formatter": "own"},
        "file": {"class": "logging.FileHandler", "filename": sys.argv[1], "formatter": "own"},
    },
    "root": {"handlers": ["stream", "file"], "level": "INFO"},
})
about(run="r1", step="flights__a")
log = logging.getLogger("team.code")
log.info("%s rows", 3, extra={"rows": 3})
warnings.warn("old")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("divided")
raise RuntimeError("the end")
"""


@pytest.fixture
def printed(tmp_path: Path) -> list[dict[str, Any]]:
    """What a module says whose handlers are configured by a library of its own."""
    (tmp_path / "loud.py").write_text(LOUD)
    variables = {**os.environ, "HEADRACE_LOGS": "json", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    command = [sys.executable, "-m", "platform_core.logged", "loud", str(tmp_path / "own.log")]
    done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_of_a_process_is_json_and_files_are_left_alone(
    printed: list[dict[str, Any]], tmp_path: Path
) -> None:
    said, warned, failed, ended = printed
    where = {"namespace": "user/tess", "run": "r1", "step": "flights__a", "asset": "flights/a", "partition": None}
    for line in printed:
        assert where.items() <= line.items()
    assert (said["level"], said["logger"], said["message"], said["rows"]) == ("info", "team.code", "3 rows", 3)
    assert (warned["level"], warned["logger"]) == ("warning", "py.warnings")
    assert failed["error"].endswith("ZeroDivisionError: division by zero")
    assert (ended["level"], ended["message"]) == ("critical", "RuntimeError: the end")
    assert (tmp_path / "own.log").read_text().startswith("OWN 3 rows\n")


def test_what_dagster_knows_of_a_message_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    about(run="mine", step="flights__a", asset=None)
    monkeypatch.setenv(ASSET, "flights/a, flights/b")
    record = logging.makeLogRecord({"msg": "j - s - text", "levelname": "INFO"})
    assert json.loads(line_of(record))["asset"] == "flights/a, flights/b"
    record.dagster_meta = {"run_id": "theirs", "step_key": "flights__c", "orig_message": "text"}
    line = json.loads(line_of(record))
    about(run=None, step=None)
    assert (line["run"], line["asset"], line["message"]) == ("theirs", "flights/c", "text")


def test_a_decision_keeps_what_it_says_of_itself() -> None:
    record = logging.makeLogRecord(
        {"name": "headrace.access", "msg": json.dumps({"decision": "denied", "user": "vera"}), "levelname": "WARNING"}
    )
    line = json.loads(line_of(record))
    assert (line["decision"], line["user"], line["level"]) == ("denied", "vera", "warning")


def test_commands_of_python_alone_are_wrapped_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["python", "-m", "dagster", "api"]
    assert logged(command) == command
    monkeypatch.setenv("HEADRACE_LOGS", "json")
    wrapped = logged(command)
    assert wrapped == ["python", "-m", "platform_core.logged", "dagster", "api"]
    assert logged(wrapped) == wrapped
    assert logged(["dagster-daemon", "run"]) == ["dagster-daemon", "run"]
