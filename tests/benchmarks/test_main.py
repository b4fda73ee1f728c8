"""`python -m benchmarks` finds the benchmarks, says which claims hold and keeps what was measured."""

import io
import json
import sys
import types
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import discover, main, run
from benchmarks.interleave import BenchmarkError, Comparison, Sample


def test_every_benchmark_is_found_and_listed_for_readers():
    readme = (Path(__file__).resolve().parents[2] / "benchmarks" / "README.md").read_text()
    assert "check" in discover()
    assert [name for name in discover() if f"| `{name}` |" not in readme] == []


def test_an_unknown_name_is_misuse(capsys: pytest.CaptureFixture[str]):
    assert main(["chekc"]) == 2
    assert "There is no benchmark chekc" in capsys.readouterr().out


def measured(seconds: float) -> Comparison:
    return Comparison("ours is quick", "ours", "peer", 1.5, {"ours": [Sample(seconds, 1)], "peer": [Sample(1, 1)]})


def add_benchmark(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    module = types.ModuleType("benchmarks.bench_made_up")
    module.main = body  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize(("seconds", "holds"), [(1.2, True), (1.8, False)])
def test_a_result_is_printed_and_kept(seconds: float, holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    add_benchmark(monkeypatch, lambda: measured(seconds))
    text = io.StringIO()
    assert run("made_up", Console(file=text, width=100), tmp_path) is holds
    assert f"{seconds:.2f}" in text.getvalue()
    table = (tmp_path / "made_up.txt").read_text()
    assert f"{seconds:.2f}" in table
    assert ("does not hold" in table) is not holds
    kept = json.loads((tmp_path / "made_up.json").read_text())
    assert (kept["holds"], kept["samples"]["ours"]) == (holds, [{"wall": seconds, "cpu": 1}])


def test_a_benchmark_that_cannot_run_does_not_hold_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    add_benchmark(monkeypatch, _broken)
    text = io.StringIO()
    assert run("made_up", Console(file=text, width=100), tmp_path) is False
    assert "made_up could not be measured: peer failed" in text.getvalue()
    assert list(tmp_path.iterdir()) == []


def _broken() -> Comparison:
    raise BenchmarkError("peer failed with exit code 1: no such location")
