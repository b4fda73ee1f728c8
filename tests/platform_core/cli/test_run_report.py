"""What a person sees of a run, from the messages that a location sends."""

from pathlib import Path
from typing import Any

import pytest

from platform_core.cli.run_report import Report
from platform_core.locations import Location

PLAN = {
    "kind": "planned",
    "runs": [
        {"assets": ["flights/weather"], "partitions": ["2013-01", "2013-02"]},
        {"assets": ["flights/delay_model"], "partitions": ["2013-07"]},
    ],
    "notes": ["weather: computing 2013-01..2013-02"],
}
STARTED = {"kind": "step_started", "run": 0, "step": "flights__weather", "assets": ["flights/weather"]}


def _reported(capsys: pytest.CaptureFixture[str], *messages: dict[str, Any], code: int = 0) -> tuple[bool, str]:
    report = Report(Location("flights", "module", Path("python")))
    with report:
        for message in (PLAN, *messages, {"kind": "ended", "code": code}):
            report.take(message)
    report.print_table()
    return report.ok, capsys.readouterr().out


def test_a_step_that_ended_is_told_with_its_partitions_and_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    ended = {"kind": "step_ended", "run": 0, "step": "flights__weather", "seconds": 1.25}
    ok, text = _reported(capsys, STARTED, ended)
    assert ok
    assert "weather: computing 2013-01..2013-02" in text
    assert "✓ flights/weather 2013-01..2013-02 1.2 s" in text


def test_a_step_that_failed_is_told_with_its_sentence_and_what_was_not_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = {
        "kind": "step_failed",
        "run": 0,
        "step": "s",
        "assets": ["flights/weather"],
        "sentence": "No [file] came.",
    }
    ok, text = _reported(capsys, STARTED, failed, {"kind": "not_started", "run": 1}, code=1)
    assert not ok
    assert "✗ flights/weather 2013-01..2013-02: No [file] came." in text
    assert "1 run not started, as an earlier one failed" in text
    assert "not run" in text.splitlines()[-1]


@pytest.mark.parametrize(("severity", "fine"), [("ERROR", False), ("WARN", True)])
def test_a_failed_check_fails_the_command_unless_it_only_warns(
    capsys: pytest.CaptureFixture[str], severity: str, fine: bool
) -> None:
    checked = {"kind": "checked", "asset": "flights/weather", "check": "gaps", "passed": False, "description": "3 rows"}
    ok, text = _reported(capsys, checked | {"run": 0, "severity": severity})
    assert ok is fine
    assert "! check gaps of flights/weather: 3 rows" in text
    assert "0/1 gaps" in text


def test_a_process_that_dies_is_not_taken_for_success(capsys: pytest.CaptureFixture[str]) -> None:
    ok, text = _reported(capsys, STARTED, code=-9)
    assert not ok
    assert "The process of location flights ended with code -9" in text


def test_what_the_code_prints_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert "hello [world]" in _reported(capsys, {"kind": "printed", "line": "hello [world]"})[1]
