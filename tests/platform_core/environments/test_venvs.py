"""Venvs on demand: once, whoever asks, whatever was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platform_core.environments.environment import Environment, environment_of
from platform_core.environments.marker import FILE
from platform_core.environments.venvs import all_venvs, ready_venv, remove, venv_folder
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import ROOT, Repository

VERSION = "import toy; print(toy.VERSION)"


def said_by(python: Path, code: str = VERSION) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_venv_holds_what_the_lock_says_and_is_made_once(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    lines: list[str] = []
    python = ready_venv(environment_of("toys"), lines.append)
    assert said_by(python) == "1.0"
    assert [line.split(" the ")[0] for line in lines] == ["Making", "Made"]
    assert ready_venv(environment_of("toys"), lines.append) == python
    assert len(lines) == 2


def test_an_extra_is_another_venv_of_the_same_lock(repository: Repository) -> None:
    repository.add("toys", "kit", extras='train = ["toy==2.0"]')
    plain, train = ready_venv(environment_of("toys")), ready_venv(environment_of("toys", ("train",)))
    assert said_by(train) == "2.0"
    assert said_by(train, "import kit; print(kit.VERSION)") == "1.0"
    with pytest.raises(subprocess.CalledProcessError):
        said_by(plain)


def test_extras_that_exclude_each_other_live_side_by_side(repository: Repository) -> None:
    repository.add(
        "toys",
        extras='old = ["toy==1.0"]\nnew = ["toy==2.0"]',
        more='conflicts = [[{ extra = "old" }, { extra = "new" }]]',
    )
    versions = [said_by(ready_venv(environment_of("toys", (extra,)))) for extra in ("old", "new")]
    assert versions == ["1.0", "2.0"]


def test_extras_that_exclude_each_other_are_refused_together_with_uvs_reason(repository: Repository) -> None:
    repository.add(
        "toys",
        extras='old = ["toy==1.0"]\nnew = ["toy==2.0"]',
        more='conflicts = [[{ extra = "old" }, { extra = "new" }]]',
    )
    both = environment_of("toys", ("old", "new"))
    with pytest.raises(FrozenError, match=r"toys\+new\+old \(.*\) cannot be made\. uv says: .*incompatible"):
        ready_venv(both)
    assert not venv_folder(both).exists() or all_venvs() == []


def test_what_a_killed_process_left_is_made_anew(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    environment = environment_of("toys")
    python = ready_venv(environment)
    (venv_folder(environment) / FILE).unlink()
    next(venv_folder(environment).glob("lib/*/site-packages/toy.py")).unlink()
    assert said_by(ready_venv(environment)) == "1.0"
    assert python.exists()


ASK = """
import sys
from platform_core.environments.environment import environment_of
from platform_core.environments.venvs import ready_venv
environment = environment_of("toys")
sys.stdin.readline()
ready_venv(environment, print)
"""


def asking() -> "subprocess.Popen[str]":
    """A process that asks for the environment of `toys` when it is sent a line."""
    command, pipe = [sys.executable, "-c", ASK], subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, start_new_session=True)


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def slow_uv(repository: Repository, folder: Path) -> None:
    """Puts a uv in the repository that takes its time."""
    path = repository.folder / ".headrace/bin/uv"
    target = os.readlink(path)
    path.unlink()
    path.write_text(f'#!/bin/sh\ntouch "{folder}/uv-$$"\nsleep 1.5\nexec {target} "$@"\n')
    path.chmod(0o755)


def test_two_that_ask_at_once_make_it_once(repository: Repository, tmp_path: Path) -> None:
    repository.add("toys", "toy==1.0")
    slow_uv(repository, tmp_path)
    both = [asking(), asking()]
    for process in both:
        go(process)
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(text.split(" ")[0] for text in said) == ["Making", "Waiting"]
    assert len(list(tmp_path.glob("uv-*"))) == 1
    assert said_by(venv_folder(environment_of("toys")) / "bin/python") == "1.0"


def test_killing_the_one_that_makes_it_lets_the_next_one_make_it(repository: Repository, tmp_path: Path) -> None:
    repository.add("toys", "toy==1.0")
    slow_uv(repository, tmp_path)
    first = asking()
    go(first)
    while not list(tmp_path.glob("uv-*")):
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    environment = environment_of("toys")
    assert all_venvs() == []
    assert said_by(ready_venv(environment)) == "1.0"
    assert [venv.marker.environment for venv in all_venvs()] == [environment.hash]


def test_an_index_that_refuses_is_a_sentence_and_leaves_no_venv(repository: Repository) -> None:
    path = repository.add("toys", "toy==1.0") / "uv.lock"
    path.write_text(path.read_text().replace("toy-1.0-py3", "gone-1.0-py3"))
    with pytest.raises(FrozenError, match=r"^The environment toys \(.*\) cannot be made\. uv says: .*404"):
        ready_venv(environment_of("toys"))
    assert all_venvs() == []


def test_a_loose_lock_is_refused_before_anything_is_installed(repository: Repository) -> None:
    path = repository.add("toys", "toy==1.0") / "uv.lock"
    path.write_text(path.read_text().replace("sha256", "nothing").replace("hash =", "hush ="))
    with pytest.raises(FrozenError, match="files without a hash"):
        ready_venv(environment_of("toys"))
    assert not venv_folder(environment_of("toys")).exists()


def test_the_environment_of_another_machine_is_not_made_here(repository: Repository) -> None:
    repository.add("toys")
    other: Environment = environment_of("toys", platform="linux-riscv64")
    with pytest.raises(FrozenError, match="is one of linux-riscv64, and this machine is"):
        ready_venv(other)


def test_venvs_are_listed_and_removed(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", extras='train = ["kit"]')
    for extras in ((), ("train",)):
        ready_venv(environment_of("toys", extras))
    assert {venv.marker.extras for venv in all_venvs()} == {(), ("train",)}
    for venv in all_venvs():
        assert venv.bytes > 0
        remove(venv)
    assert all_venvs() == []


def test_the_marker_is_for_people_too(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    ready_venv(environment_of("toys"))
    said = json.loads((venv_folder(environment_of("toys")) / FILE).read_text())
    assert (said["location"], said["packages"]) == ("toys", {"toy": "1.0"})
