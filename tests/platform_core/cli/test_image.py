"""What the command tells of images; real ones are in tests/platform_core/environments/images."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from platform_core.cli.main import headrace
from platform_core.environments.images import names
from platform_core.environments.images.build import Built
from platform_core.environments.images.engine import Engine
from platform_core.environments.images.found import Image
from platform_core.errors import NotFoundError
from tests.platform_core.environments.support.toys import ROOT, Repository

OLD = Image("sha256:1", "headrace/one:old", "one", (), "abc", "0123", "user/tess", 1000, "2026", False, False, None)


@pytest.fixture
def two(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The locations `one` and `two`, and an engine that does as it is told."""
    (repository.folder / "deploy").symlink_to(ROOT / "deploy")
    repository.add("one", extras='train = ["toy"]')
    repository.add("two")
    monkeypatch.setattr(
        "platform_core.cli.image.environments_asked_for", lambda name: [(), ("train",)] if name == "one" else [()]
    )
    monkeypatch.setattr("platform_core.cli.image.find_engine", lambda: Engine("docker", "docker"))
    names.image_settings.cache_clear()
    yield repository
    names.image_settings.cache_clear()


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(headrace, ["image", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_all_locations_are_built_or_those_that_a_change_touches(
    two: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def build(_engine: Engine, location: str, extras: tuple[str, ...], **_options: Any) -> Built:
        asked.append((location, extras))
        return Built(location, names.image_of(location, extras), "abc", 1.0)

    monkeypatch.setattr("platform_core.cli.image.build_image", build)
    monkeypatch.setattr("platform_core.cli.image.changed_locations", lambda _revision: {"two": ["x"]})
    said = invoke("build").stdout
    assert f"✓ {names.image_of('one')} built in 1 s" in said
    assert [item["location"] for item in json.loads(invoke("build", "--since", "main", "--json").stdout)] == ["two"]
    invoke("build", "one", "--extra", "train")
    assert asked == [("one", ()), ("one", ("train",)), ("two", ()), ("two", ()), ("one", ("train",))]


def test_an_unknown_location_is_refused(two: Repository) -> None:
    with pytest.raises(NotFoundError, match="no location 'tow'"):
        invoke("build", "tow")


def test_problems_make_verify_fail(two: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = names.image_of("two")
    monkeypatch.setattr(
        "platform_core.cli.image.problems_of", lambda _engine, image: ["two runs as root."] if image == wrong else []
    )
    done = invoke("verify")
    assert done.exit_code == 1
    assert f"✓ {names.image_of('one')}" in done.stdout
    assert "✗ two runs as root." in done.stdout
    assert invoke("verify", "one").exit_code == 0


def test_images_are_listed_and_current_ones_marked(two: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_core.cli.image.all_images", lambda _engine, current: [OLD])
    assert json.loads(invoke("list", "--json").stdout)[0]["name"] == "headrace/one:old"
    assert invoke("prune").stdout == "There is nothing to remove.\n"
