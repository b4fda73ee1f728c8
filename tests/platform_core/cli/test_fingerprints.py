"""A location is asked for its fingerprints only where its files are others than before."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_core.cli import fingerprints
from platform_core.cli.fingerprints import code_of, fingerprints_at, fingerprints_of
from platform_core.errors import DefinitionError
from platform_core.locations import Location
from platform_core.settings import Settings
from tests.end_to_end.small_repository import commit, git

ENTRY = """
  - python_module:
      module_name: code_locations.{0}.definitions
      location_name: {0}
      executable_path: python
"""


class Asked(list[str]):
    """The locations that were loaded, in order."""

    keys: list[str]

    def __call__(self, location: Location, **request: Any) -> Iterator[dict[str, Any]]:
        self.append(location.name)
        yield {"kind": "loaded", "seconds": 1}
        yield {"kind": "fingerprinted", "assets": {f"{location.name}/a": {"code": len(self), "keys": self.keys}}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()
    found.keys = []
    monkeypatch.setattr(fingerprints, "converse", found)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # so that they are asked in order
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of a repository with two locations."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    repository = tmp_path / "repository"
    for name in ("one", "two"):
        (repository / "code_locations" / name).mkdir(parents=True)
        (repository / "code_locations" / name / "assets.py").touch()
    (repository / "workspace.yaml").write_text("load_from:" + ENTRY.format("one") + ENTRY.format("two"))
    git(repository, "init", "--quiet", "--initial-branch", "main")
    commit(repository, "The beginning")
    return Settings(repository=repository, home=tmp_path / "home")


def tell(settings: Settings, **said: Any) -> dict[str, Any]:
    return fingerprints_of(settings, code_of(settings, settings.repository), **said)


def test_what_was_told_once_is_remembered(settings: Settings, asked: Asked) -> None:
    first = tell(settings)
    assert set(first) == {"one/a", "two/a"}
    assert tell(settings) == first
    assert asked == ["one", "two"]


def test_of_two_locations_the_one_that_was_edited_is_asked_again(settings: Settings, asked: Asked) -> None:
    tell(settings)
    (settings.repository / "code_locations/one/assets.py").write_text("edited")
    tell(settings)
    commit(settings.repository, "Edited")
    tell(settings)
    assert asked == ["one", "two", "one"]


def test_a_commit_whose_files_are_known_is_not_checked_out(settings: Settings, asked: Asked) -> None:
    tell(settings)
    assert set(fingerprints_at(settings, "HEAD")) == {"one/a", "two/a"}
    assert asked == ["one", "two"]
    assert not (settings.home / "checkouts").exists()


def test_only_the_locations_that_matter_are_asked(settings: Settings, asked: Asked) -> None:
    assert set(tell(settings, locations={"two"})) == {"two/a"}
    assert asked == ["two"]


def test_partitions_are_asked_for_again_after_an_hour_where_they_matter(
    settings: Settings, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.keys = ["2026-11-21"]
    tell(settings, locations={"one"})
    monkeypatch.setattr(fingerprints, "_hour", lambda: "later")
    tell(settings, locations={"one"}, hourly=False)
    assert asked == ["one"]
    tell(settings, locations={"one"})
    assert asked == ["one", "one"]


def test_what_is_edited_meanwhile_is_not_taken_for_what_was_loaded(
    settings: Settings, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edits(location: Location, **request: Any) -> Iterator[dict[str, Any]]:
        (settings.repository / "code_locations/one/assets.py").write_text("edited meanwhile")
        yield from asked(location, **request)

    monkeypatch.setattr(fingerprints, "converse", edits)
    tell(settings)
    monkeypatch.setattr(fingerprints, "converse", asked)
    tell(settings)
    assert asked == ["one", "two", "one", "two"]


def test_a_location_that_cannot_be_loaded_is_one_sentence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "converse", lambda *_, **__: iter([{"kind": "refused", "sentence": "No."}]))
    with pytest.raises(DefinitionError, match=r"Location one cannot be loaded: No\."):
        tell(settings)
    assert not (settings.home / "branches").exists()
