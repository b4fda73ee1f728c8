"""Several locations are run as one: each does what is its own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from platform_core.cli.main import headrace
from platform_core.errors import NotFoundError
from platform_core.locations import Location

Told = list[dict[str, Any]]
DONE: Told = [{"kind": "planned", "runs": [], "notes": []}, {"kind": "ended", "code": 0}]
FAILED: Told = [{"kind": "refused", "sentence": "It broke."}, {"kind": "ended", "code": 1}]
NOT_MINE: Told = [{"kind": "elsewhere", "sentence": "Location x has no asset 'y'."}, {"kind": "ended", "code": 0}]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The locations that were asked to run, each with whether it was alone; the list has `one` and `two`."""
    entry = "- python_module: {{location_name: {0}, module_name: {0}, executable_path: x}}"
    entries = "\n".join(entry.format(name) for name in ("one", "two"))
    (tmp_path / "workspace.yaml").write_text(f"load_from:\n{entries}\n")
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    return []


def headrace_run(
    monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, bool]], told: Mapping[str, Told], *arguments: str
) -> Result:
    def converse(location: Location, **request: Any) -> Iterator[dict[str, Any]]:
        asked.append((location.name, request["alone"]))
        yield from told[location.name]

    monkeypatch.setattr("platform_core.cli.run.converse", converse)
    return CliRunner().invoke(headrace, ["run", *arguments])


@pytest.mark.parametrize(
    ("one", "two", "code"),
    [(DONE, DONE, 0), (DONE, NOT_MINE, 0), (NOT_MINE, DONE, 0), (FAILED, DONE, 1), (DONE, FAILED, 1)],
)
def test_it_succeeds_when_every_location_did_what_is_its_own(
    one: Told, two: Told, code: int, asked: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert headrace_run(monkeypatch, asked, {"one": one, "two": two}, "y").exit_code == code
    assert asked == [("one", False), ("two", False)]


def test_what_nobody_has_is_misuse(asked: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch) -> None:
    done = headrace_run(monkeypatch, asked, {"one": NOT_MINE, "two": NOT_MINE}, "y")
    assert isinstance(done.exception, NotFoundError)
    assert str(done.exception) == "Location x has no asset 'y'. Location x has no asset 'y'."


def test_one_location_that_is_named_is_asked_alone(
    asked: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert headrace_run(monkeypatch, asked, {"two": DONE}, "two/y").exit_code == 0
    assert headrace_run(monkeypatch, asked, {"one": DONE}, "--location", "one").exit_code == 0
    assert asked == [("two", True), ("one", True)]
