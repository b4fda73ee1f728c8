"""The engine's complaints become sentences; one that is not there is told with every reason."""

from pathlib import Path

import pytest

from platform_core.environments.images.engine import Engine, explained, find_engine
from platform_core.errors import FrozenError


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "Error response from daemon: pull access denied for x, repository does not exist\n",
            "pull access denied for x, repository does not exist.",
        ),
        ("Step 1/2 : RUN x\nerror: oh\nUsage: docker\n", "oh."),
        ("first\nlast line\n", "last line."),
        ("", "it does not say why."),
        ("unauthorized: authentication required\n", "unauthorized: authentication required."),
    ],
)
def test_complaints_are_one_sentence(text: str, sentence: str) -> None:
    assert explained(text) == sentence


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setattr("shutil.which", lambda name: str(folder / name) if (folder / name).exists() else None)
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    find_engine.cache_clear()
    return folder


def test_none_at_all_is_told_with_both_names(bin: Path) -> None:
    with pytest.raises(
        FrozenError, match=r"no container engine here .*\(docker: not installed; podman: not installed\)"
    ):
        find_engine()


def test_docker_that_does_not_answer_leaves_it_to_podman(bin: Path) -> None:
    program(bin, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    program(bin, "podman", "echo '{}'")
    assert find_engine() == Engine("podman", "buildah")


def test_a_daemon_that_is_down_is_told_in_its_words(bin: Path) -> None:
    program(bin, "docker", """echo '{"ServerErrors": ["Cannot connect to the Docker daemon at x. Is it running?"]}'""")
    with pytest.raises(FrozenError, match=r"docker: Cannot connect to the Docker daemon at x"):
        find_engine()


def docker(folder: Path, release: str, *, has_buildx: bool) -> None:
    """A docker of a release, whose builds print what decides about the builder."""
    program(
        folder,
        "docker",
        'case "$1" in\n'
        "info) echo '{}';;\n"
        f"--version) echo 'Docker version {release}, build 0';;\n"
        f"version) echo {release};;\n"
        f"buildx) {'echo github.com/docker/buildx' if has_buildx else 'exit 1'};;\n"
        'build) echo "$DOCKER_BUILDKIT";;\n'
        "esac",
    )


@pytest.mark.parametrize(
    ("release", "has_buildx", "variable"),
    [
        ("28.2.2", True, "1"),
        ("28.2.2", False, "0"),  # from 23 on, docker without buildx has none but the classic builder
        ("23.0.1", False, "0"),
        ("20.10.24+dfsg1", False, "1"),  # which brings BuildKit itself
        ("20.10.24+dfsg1", True, "1"),
        ("17.03.0-ce", False, "0"),
        ("of nowhere", False, "0"),
    ],
)
def test_the_classic_builder_is_taken_only_where_buildkit_is_missing(
    release: str, has_buildx: bool, variable: str, bin: Path
) -> None:
    docker(bin, release, has_buildx=has_buildx)
    engine = find_engine()
    assert engine == Engine("docker", {"1": "buildkit", "0": "docker"}[variable])
    assert next(engine.lines("build", ".")) == (variable, None)


@pytest.mark.parametrize(("chosen", "builder"), [("0", "docker"), ("1", "buildkit")])
def test_who_chose_a_builder_gets_it(chosen: str, builder: str, bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(bin, "20.10.24", has_buildx=False)
    monkeypatch.setenv("DOCKER_BUILDKIT", chosen)
    assert find_engine().builder == builder


def test_podman_under_the_name_of_docker_is_podman(bin: Path) -> None:
    program(bin, "docker", """case "$1" in info) echo '{}';; --version) echo "podman version 4.3.1";; esac""")
    assert find_engine() == Engine("docker", "buildah")


def test_a_failure_says_what_was_tried(bin: Path) -> None:
    program(bin, "docker", "echo 'Error response from daemon: denied: no' >&2; exit 1")
    with pytest.raises(FrozenError, match=r"^It cannot be sent: denied: no\.$"):
        Engine("docker", "docker").run("push", "x", doing="It cannot be sent")


def test_lines_come_as_they_are_printed_and_the_code_at_last(bin: Path) -> None:
    program(bin, "docker", "printf '\\033[91mone\\033[0m\\n'; echo two >&2; exit 3")
    assert list(Engine("docker", "docker").lines("build")) == [("one", None), ("two", None), ("", 3)]


def test_what_is_gone_by_now_is_left_out(bin: Path) -> None:
    program(
        bin, "docker", """[ "$1" = container ] && echo '[{"Image": "sha256:1"}]'; echo 'No such object' >&2; exit 1"""
    )
    assert Engine("docker", "docker").inspect(["here", "gone"], "container") == [{"Image": "sha256:1"}]
