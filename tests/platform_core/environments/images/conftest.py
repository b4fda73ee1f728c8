"""A small checkout with the real platform in it, and the container engine where there is one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from platform_core.environments.images import names
from platform_core.environments.images.engine import Engine, find_engine
from tests.platform_core.compute.support.images import IMAGE, need_engine
from tests.platform_core.environments.support.toys import ROOT, UV, Index, Repository, new_repository

BASE = "localhost/headrace-test-base:1"
NEEDED = ("pydantic-settings>=2.6", "pyyaml>=6")  # what looking into an image takes


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A checkout with the location `app`, locked once."""
    if not UV.exists():
        pytest.skip(f"uv is not at {UV}: `make install` puts it there")
    index = Index(Path())
    index.url = "https://pypi.org/simple"
    repository = new_repository(tmp_path_factory.mktemp("template") / "repository", index)
    for name in ("platform_core", "resources", "deploy"):
        shutil.copytree(ROOT / name, repository.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dagster.yaml", repository.folder)
    folder = repository.add("app", *NEEDED)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "definitions.py").write_text("import yaml\n")
    (folder / "tests").mkdir()
    (folder / "tests/test_app.py").touch()
    (folder / ".env").write_text("PASSWORD=hunter2")
    return repository


@pytest.fixture
def checkout(template: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A copy of it, which is the repository of this process; images stand on what the engine has."""
    folder = tmp_path / "repository"
    shutil.copytree(template.folder, folder, symlinks=True)
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(folder))
    monkeypatch.setenv("HEADRACE_IMAGE_BASE", BASE)
    monkeypatch.setenv("HEADRACE_IMAGES", f"localhost/test-{tmp_path.name.replace('_', '-')}"[:60].rstrip("-"))
    names.image_settings.cache_clear()
    yield Repository(folder, template.index)
    names.image_settings.cache_clear()


@pytest.fixture
def engine(checkout: Repository) -> Iterator[Engine]:
    """The engine, without the test's images afterwards."""
    need_engine()
    find_engine.cache_clear()
    found = find_engine()
    if not found.has(BASE):
        build_base(found)
    yield found
    remove_images(found)


def remove_images(engine: Engine) -> None:
    """Removes what the test built."""
    options = ["--filter", f"reference={names.image_settings().images}/*", "--format", "{{.Repository}}:{{.Tag}}"]
    if listed := engine.run("image", "ls", *options, doing="images cannot be listed").split():
        engine.run("image", "rm", "--force", *listed, doing="images cannot be removed")


def build_base(engine: Engine) -> None:
    """The image of all tests without uv, which is in it where it is this machine's Python."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN rm -f $(command -v uv) $(command -v uvx); true\n")
        engine.run("build", "--quiet", "--network=host", "--tag", BASE, folder, doing="the base cannot be built")
