"""Toys to lock and install."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform_core.environments.support.toys import UV, Index, Repository, new_repository


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with `toy` in the versions 1.0 and 2.0, and `kit` 1.0."""
    found = Index(tmp_path_factory.mktemp("index"))
    for name, version in (("toy", "1.0"), ("toy", "2.0"), ("kit", "1.0")):
        found.add(name, version)
    with found.served():
        yield found


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def repository(tmp_path: Path, index: Index, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository, which is that of this process."""
    if not UV.exists():
        pytest.skip(f"uv is not at {UV}: `make install` puts it there")
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path / "repository"))
    return new_repository(tmp_path / "repository", index)
