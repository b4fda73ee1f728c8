"""A version is computed again by the code of its commit, in the environment of that commit's lock file."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.conftest import FLIGHTS, REPOSITORY, Headrace, deliver
from tests.known_models import KnownModels


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory, known_models: KnownModels) -> Headrace:
    """A namespace with the registry of planes and the flights of two months."""
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    if subprocess.run(["git", "-C", REPOSITORY, "rev-parse", "HEAD"], capture_output=True, check=False).returncode:
        pytest.skip("this is no git repository, so that no commit can be had back")
    home = tmp_path_factory.mktemp("reproduce")
    headrace = Headrace(home, "user/eve")
    deliver(home / "sources", until="2013-02")
    known_models.lend(home)
    done = headrace("run", "flights/planes")
    assert done.returncode == 0, done.stdout
    return headrace


def test_a_different_result_is_shown_with_what_differs(eve: Headrace, tmp_path: Path) -> None:
    sources = shutil.copytree(eve.home / "sources", tmp_path / "sources")
    path = sources / "flights/planes.csv.gz"
    lines = subprocess.run(["gzip", "-dc", path], capture_output=True, text=True, check=True).stdout.splitlines()
    subprocess.run(["gzip", "-c"], input="\n".join(lines[:-1]) + "\n", text=True, stdout=path.open("wb"), check=True)
    done = eve.having(HEADRACE_SOURCES=str(sources))("reproduce", "planes")
    assert done.returncode == 1, done.stdout
    assert "The result differs." in done.stdout
    assert "1 removed" in done.stdout


def current(eve: Headrace) -> dict[str, str]:
    """By asset what the namespace shows of its own."""
    listed = json.loads(eve("versions", "planes", "--json").stdout)
    return {item["asset"]: item["id"] for item in listed if item["current"]}


def opened(eve: Headrace) -> list[str]:
    listed = json.loads(eve("namespace", "list", "--json").stdout)
    return [item["name"] for item in listed if "--reproduce-" in item["name"]]


def test_one_that_is_killed_leaves_the_namespace_as_it_was_and_the_next_tidies_up_and_says_identical(
    eve: Headrace,
) -> None:
    before = current(eve)
    process = subprocess.Popen(
        [str(REPOSITORY / ".venv/bin/headrace"), "reproduce", "planes"],
        cwd=REPOSITORY,
        env=eve.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "planes" in line:  # its step has begun
            break
    process.kill()
    process.wait()
    assert current(eve) == before
    (left,) = opened(eve)
    assert left.startswith("user/eve--reproduce-")
    done = eve("reproduce", "planes")
    assert done.returncode == 0, done.stdout
    assert "is identical: content" in done.stdout
    assert "what it read from elsewhere is read as it is now" in done.stdout
    assert opened(eve) == []
    assert current(eve) == before
    assert list((eve.home / "throwaways").iterdir()) == []


def test_a_version_of_no_commit_is_one_sentence(eve: Headrace) -> None:
    done = eve("reproduce", "plains")
    assert done.returncode == 2
    assert "No asset 'plains' was ever materialised here. Did you mean planes?" in done.stdout.replace("\n", " ")
