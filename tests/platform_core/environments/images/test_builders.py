"""The same image from every builder: Docker's classic one, BuildKit, and Podman's buildah."""

import gzip
import os
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_core.environments.images import engine as engines
from platform_core.environments.images.build import build_image
from platform_core.environments.images.digests import digest_of, image_to_run
from platform_core.environments.images.engine import Engine
from platform_core.environments.images.found import all_images
from platform_core.environments.images.verify import problems_of
from tests.platform_core.compute.support.images import IMAGE, need_engine
from tests.platform_core.environments.images.conftest import BASE, build_base, remove_images
from tests.platform_core.environments.support.toys import Repository

# What Podman needs in a machine that is a container itself; everywhere else it changes nothing that is tested here.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
STORAGE_CONF = '[storage]\ndriver = "overlay"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Podman with a store of its own, which has the image that images stand on."""
    need_engine()
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed (on Debian: apt-get install podman)")
    folder = tmp_path_factory.mktemp("podman")
    with pytest.MonkeyPatch.context() as patch:
        _configure(patch, folder)
        if reason := engines._why_not("podman"):
            pytest.skip(f"podman does not answer: {reason}")
        _hand_over(folder)
        yield Engine("podman", engines._builder("podman"))
        subprocess.run(["podman", "system", "reset", "--force"], capture_output=True, check=True)


def _configure(patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "containers.conf").write_text(CONTAINERS_CONF)
    (folder / "storage.conf").write_text(STORAGE_CONF.format(folder=folder))
    patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
    patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))


def _hand_over(folder: Path) -> None:
    """Gives podman the image of all tests; one that cannot start it cannot build here either."""
    subprocess.run(["docker", "save", "--output", folder / "image.tar", IMAGE], check=True)
    subprocess.run(["podman", "load", "--input", folder / "image.tar"], capture_output=True, check=True)
    started = ["podman", "run", "--rm", "--network", "host", IMAGE, "true"]
    done = subprocess.run(started, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"podman cannot start a container here: {engines.explained(done.stderr)}")


@pytest.fixture(scope="module")
def buildkit() -> Engine:
    """A docker on PATH that can build with BuildKit."""
    need_engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DOCKER_BUILDKIT", raising=False)  # what somebody chose for this machine
        for folder in os.get_exec_path():
            program = os.path.join(folder, "docker")
            if os.access(program, os.X_OK) and engines._builder(program) == "buildkit":
                return Engine(program, "buildkit")
    pytest.skip("no docker here can use BuildKit: it is 23 or later, and buildx is not installed")


@pytest.fixture
def classic() -> Engine:
    need_engine()
    return Engine("docker", "docker")


@pytest.fixture(params=["classic", "buildkit", "podman"])
def builder(request: pytest.FixtureRequest, checkout: Repository) -> Iterator[Engine]:
    """Each of them with the base of the images, and without the test's images afterwards."""
    engine: Engine = request.getfixturevalue(request.param)
    if not engine.has(BASE):
        build_base(engine)
    yield engine
    remove_images(engine)


def test_an_image_is_built_held_to_its_labels_and_run(
    builder: Engine, checkout: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, said = builder, list[str]()
    first = build_image(engine, "app", network="host", say=said.append).image
    assert any("COPY build/ /build/" in step for step in said), said
    assert problems_of(engine, first) == []
    (checkout.folder_of("app") / "definitions.py").write_text("import yaml  # edited\n")
    second = build_image(engine, "app", network="host").image
    before, after = (engine.inspect([image])[0]["RootFS"]["Layers"] for image in (first, second))
    assert (before[:-1], before[-1] == after[-1]) == (after[:-1], False)
    assert {image.name for image in all_images(engine, [first, second])} >= {first, second}
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    image, _ = image_to_run("app", ())
    known = digest_of(second)
    assert known is not None
    assert image == known.content
    run = ("run", "--rm", "--network", "none", "--read-only", image, "cat", "code_locations/app/definitions.py")
    assert engine.run(*run, doing="it does not run") == "import yaml  # edited\n"


def test_no_secret_of_who_builds_gets_into_an_image(
    builder: Engine, checkout: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    for name in ("AWS_SECRET_ACCESS_KEY", "HEADRACE_METRICS_TOKEN", "TEAM_API_KEY", "UV_INDEX_TEAM_PASSWORD"):
        monkeypatch.setenv(name, canary)
    monkeypatch.setenv("HEADRACE_DAGSTER", f"postgresql://ann:{canary}@db/dagster")
    for place in (checkout.folder, checkout.folder_of("app")):
        for name in (".env", ".headrace/keys/ann.pem", ".git/config", ".venv/pip.conf"):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(f"password = {canary}\n")
    said = list[str]()
    image = build_image(builder, "app", network="host", say=said.append).image
    saved = tmp_path / "image.tar"
    builder.run("save", "--output", str(saved), image, doing="it is not saved")
    whole = b"".join(_unpacked(saved))
    assert b"import yaml" in whole  # the location itself, so that this looks into the layers
    assert canary.encode() not in whole
    assert canary not in "".join(said)


def _unpacked(archive: Path) -> Iterator[bytes]:
    """What is in the files of an archive; layers may be compressed."""
    with tarfile.open(archive) as opened:
        for member in opened:
            content = opened.extractfile(member)
            if content is not None:
                read = content.read()
                yield gzip.decompress(read) if read.startswith(b"\x1f\x8b") else read
