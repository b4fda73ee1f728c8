"""Killed at any step, a promotion has happened or not, and doing it again completes it; so it is with a closing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.platform_core.branches.kills import POINTS

PROMOTED, AS_IT_WAS = ["the branch"], ["t/feature", "t/model"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """By point what was found there: all in one process, as starting one takes longer than all of it."""
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.platform_core.branches.kills", str(tmp_path_factory.mktemp("kills"))]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["point"]: line for line in lines}


@pytest.mark.parametrize("point", [p for p in POINTS if p.action == "promote"], ids=str)
def test_a_promotion_is_seen_whole_or_not_at_all(told: dict[str, Any], point: Any) -> None:
    found = told[str(point)]
    assert found["killed"], "the point was never reached"
    has_happened = found["after the kill"]["promotions"] == 1
    assert found["after the kill"]["production"] == (PROMOTED if has_happened else AS_IT_WAS)
    assert has_happened is (str(point) == "promote after Branching.promote 1")
    assert found["after all"]["production"] == PROMOTED
    assert (found["after all"]["transactions"], found["after all"]["promotions"]) == (1, 1)


@pytest.mark.parametrize("point", [p for p in POINTS if p.action == "close"], ids=str)
def test_a_closing_is_completed_by_the_next_and_takes_nothing_of_production(told: dict[str, Any], point: Any) -> None:
    found = told[str(point)]
    assert found["killed"], "the point was never reached"
    assert found["after the kill"]["production"] == AS_IT_WAS
    assert found["after all"] == found["after all"] | {"production": AS_IT_WAS, "branches": 0, "files": 0}
