"""What the command tells of changes."""

import json

import pytest
from click.testing import CliRunner

from platform_core.cli.main import headrace


def told(monkeypatch: pytest.MonkeyPatch, found: dict[str, list[str]], *arguments: str) -> str:
    monkeypatch.setattr("platform_core.cli.changed.changed_locations", lambda _revision: found)
    result = CliRunner().invoke(headrace, ["changed", *arguments])
    assert result.exit_code == 0
    return result.output


def test_each_location_is_told_with_the_first_file(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"airports": ["a.py"], "flights": ["a.py", "b.py", "c.py"]}
    assert told(monkeypatch, found) == "airports a.py\nflights a.py and 2 other files\n"


def test_nothing_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, {}, "--since", "v1") == "Nothing that a location depends on changed since v1.\n"


def test_json_has_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(told(monkeypatch, {"flights": ["a.py", "b.py"]}, "--json")) == {"flights": ["a.py", "b.py"]}
