"""What holds between locations."""

from pathlib import Path
from typing import Any

import pytest

from platform_core.cli.check import between, shared_keys


def _declares(*keys: str) -> dict[str, Any]:
    return {"assets": [{"key": key} for key in keys], "problems": []}


def test_a_key_belongs_to_one_location() -> None:
    described = {"flights": _declares("shared/calendar", "flights/weather"), "airports": _declares("shared/calendar")}
    assert list(shared_keys(described)) == [
        "shared/calendar is declared by flights and airports; a key belongs to one location."
    ]


def test_locations_with_keys_of_their_own_hold_together() -> None:
    assert not list(shared_keys({"flights": _declares("flights/weather"), "airports": _declares("airports/weather")}))


def _reading(column: str) -> dict[str, Any]:
    columns = [{"name": column, "type": "Int64", "nullable": False}]
    days = {"key": "flights/days", "layer": "feature", "owners": ["team:f"], "reads": [], "columns": columns}
    busy = {"key": "airports/busy", "layer": "feature", "owners": ["team:a"], "reads": ["flights/days"], "columns": []}
    return {"flights": {"assets": [days], "problems": []}, "airports": {"assets": [busy], "problems": []}}


def test_what_was_accepted_is_held_to_until_it_is_accepted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flights", "airports"):
        (tmp_path / "code_locations" / name).mkdir(parents=True)
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    assert "no contract says what it holds" in between(_reading("count"))[0]
    assert between(_reading("count"), accept=True) == []
    assert between(_reading("count")) == []
    (problem,) = between(_reading("number"))
    assert problem.startswith("flights/days lost the column count, which breaks airports/busy (team:a).")
    assert between(_reading("number"), accept=True) == []
    assert not (tmp_path / "code_locations" / "airports" / "contract.yaml").exists()


def test_nothing_is_said_between_locations_while_one_does_not_load() -> None:
    described = _reading("count")
    described["airports"]["problems"].append("airports: it does not load")
    assert between(described) == []
