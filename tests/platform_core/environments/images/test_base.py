"""The base comes from a registry, or from a root file system of this machine."""

import subprocess
from pathlib import Path

import pytest

from platform_core.environments.images.base import ready_base
from platform_core.environments.images.engine import Engine
from platform_core.errors import FrozenError
from tests.platform_core.compute.support.images import IMAGE


def test_one_that_the_engine_has_is_taken(engine: Engine) -> None:
    assert ready_base(engine, IMAGE, pytest.fail) == IMAGE


def test_one_that_cannot_be_fetched_says_what_else_could_be_named(engine: Engine) -> None:
    with pytest.raises(
        FrozenError, match=r"^The base image 127\.0\.0\.1:1/none cannot be fetched; .*HEADRACE_IMAGE_BASE"
    ):
        ready_base(engine, "127.0.0.1:1/none", lambda _: None)


def test_a_path_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        FrozenError, match=r"The base .*/nowhere does not exist; name another one in HEADRACE_IMAGE_BASE"
    ):
        ready_base(Engine("docker", "docker"), str(tmp_path / "nowhere"), lambda _: None)


def made(engine: Engine, path: Path) -> str:
    said: list[str] = []
    name = ready_base(engine, str(path), said.append)
    assert said == [f"Making the base image from {path}."]
    assert ready_base(engine, str(path), pytest.fail) == name
    return name


def remove(engine: Engine, name: str) -> None:
    engine.run("image", "rm", name, doing="it cannot be removed")


def test_a_saved_image_keeps_what_it_says_of_itself(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "base.tar"
    engine.run("save", "--output", str(path), IMAGE, doing="it cannot be saved")
    name = made(engine, path)
    assert engine.inspect([name])[0]["Id"] == engine.inspect([IMAGE])[0]["Id"]
    remove(engine, name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/motd").write_text("hello")
    return tmp_path / "root"


def test_a_folder_is_a_base(engine: Engine, root: Path) -> None:
    name = made(engine, root)
    remove(engine, name)
    (root / "etc/motd").write_text("something else")
    assert made(engine, root) != name  # what is in it counts
    remove(engine, ready_base(engine, str(root), pytest.fail))


def test_a_tar_of_a_folder_is_a_base(engine: Engine, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "root.tar"
    subprocess.run(["tar", "-C", root, "-cf", path, "."], check=True)
    remove(engine, made(engine, path))


def test_what_is_no_tar_is_told(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "base.tar"
    path.write_text("no tar")
    with pytest.raises(FrozenError, match=r"base\.tar is no \.tar that can be read"):
        ready_base(engine, str(path), lambda _: None)
