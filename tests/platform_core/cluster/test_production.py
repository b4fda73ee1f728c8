"""Rolling out: the folder names what was built and pushed, and other locations keep what they have."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_core.cluster.production import FOLDER, NOTES, pinned, write_production
from platform_core.environments.images.names import image_of, image_settings
from platform_core.errors import FrozenError
from tests.repository.tree import ROOT

NEW = f"registry/flights@sha256:{'a' * 64}"


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where builds are noted; the repository is this one."""
    path = tmp_path / "images.json"
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    monkeypatch.setenv("HEADRACE_IMAGE_DIGESTS", str(path))
    image_settings.cache_clear()
    yield path
    image_settings.cache_clear()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with production's manifests as they are here."""
    for path in (ROOT / FOLDER).rglob("*.*"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    return tmp_path


def test_one_location_is_rolled_out_and_the_others_stay(noted: Path, repository: Path):
    image = image_of("flights")
    noted.write_text(json.dumps({image: {"content": "sha256:b", "registry": NEW}}))
    before = pinned(repository / FOLDER)
    assert write_production(repository, ["flights"]) == {"flights": NEW}
    assert pinned(repository / FOLDER) == before | {"flights": NEW}
    assert json.loads((repository / FOLDER / NOTES).read_text())[image]["registry"] == NEW


@pytest.mark.parametrize("said", [{}, {"content": "sha256:b", "registry": ""}])
def test_what_was_not_pushed_is_not_rolled_out(noted: Path, repository: Path, said: dict[str, str]):
    noted.write_text(json.dumps({image_of("flights"): said} if said else {}))
    with pytest.raises(FrozenError, match="headrace image build flights --push"):
        write_production(repository, ["flights"])


def test_notes_of_older_builds_of_a_location_go(noted: Path, repository: Path):
    image = image_of("flights")
    noted.write_text(json.dumps({image: {"content": "sha256:b", "registry": NEW}}))
    old = {f"{image.partition(':')[0]}:1-old": {"content": "c", "registry": "r"}, "x/airports:1": {"content": "d"}}
    (repository / FOLDER / NOTES).write_text(json.dumps(old))
    write_production(repository, ["flights"])
    assert set(json.loads((repository / FOLDER / NOTES).read_text())) == {image, "x/airports:1"}
