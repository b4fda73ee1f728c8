"""Traces cost nothing where nobody wants them, need no thread, and break nothing when the collector is away."""

import os
import subprocess
import sys
import threading
from uuid import uuid4

import pytest

from platform_core.tracing.spans import secrets_elsewhere, span, traced_run, variables_elsewhere, variables_of
from platform_core.tracing.trace import ADDRESS, PARENT
from tests.repository.tree import ROOT

RUN = str(uuid4())
OFF = """
import sys
from platform_core.compute.execution import execute_step
from platform_core.io_manager import HeadraceIOManager
from platform_core.tracing.spans import span, traced_run, traced_step
with traced_step("step", {}), span("store.read", asset="a") as it:
    it.set_attribute("bytes", 1)
traced_run("no id at all", "run", None, {}).end()
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "requests"))])
"""


def test_nothing_is_imported_where_nothing_is_traced() -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", OFF], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert variables_of(RUN) == variables_elsewhere() == {}
    assert secrets_elsewhere() == []


def test_what_steps_elsewhere_are_told_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        ADDRESS: "http://collector:4318", "OTEL_SERVICE_NAME": "ours", "OTEL_EXPORTER_OTLP_HEADERS": "key=canary",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert variables_elsewhere() == {ADDRESS: "http://collector:4318", "OTEL_SERVICE_NAME": "ours"}
    assert secrets_elsewhere() == ["OTEL_EXPORTER_OTLP_HEADERS"]
    version, trace, root, flags = variables_of(RUN)[PARENT].split("-")
    assert (version, trace, len(root), flags) == ("00", RUN.replace("-", ""), 16, "01")


def test_a_collector_that_is_away_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:1")
    monkeypatch.setattr("platform_core.tracing.sending.TIMEOUT", 0.2)
    threads = threading.active_count()
    run = traced_run(RUN, "run", None, {"run": RUN})
    with pytest.raises(KeyError), span("store.read", asset="a"):
        raise KeyError("canary")
    run.end()
    assert "2 spans could not be sent" in caplog.text
    assert "canary" not in caplog.text
    assert threading.active_count() == threads
