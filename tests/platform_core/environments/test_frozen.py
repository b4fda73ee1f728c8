"""Frozen means refused: a step in another environment than the planned one does not start."""

import subprocess
from pathlib import Path

import pytest

from platform_core.environments.environment import VARIABLE, environment_of
from platform_core.environments.frozen import environment_here, own_venv, require, require_planned
from platform_core.environments.marker import FILE, read_marker
from platform_core.environments.venvs import ready_venv, venv_folder
from platform_core.errors import FrozenError
from tests.platform_core.environments.support.toys import UV, Repository


def test_the_planned_venv_is_entered(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    environment = environment_of("toys")
    ready_venv(environment)
    require(environment.hash, "toys", venv_folder(environment))


def test_another_environment_is_refused_with_both_in_the_sentence(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", extras='train = ["kit"]')
    plain, train = environment_of("toys"), environment_of("toys", ("train",))
    ready_venv(plain)
    with pytest.raises(
        FrozenError, match=rf"planned for the environment {train.hash} and finds itself in toys \({plain.hash}\)"
    ):
        require(train.hash, "toys", venv_folder(plain))


def test_one_that_says_nothing_of_itself_is_refused(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(FrozenError, match="which does not say what environment it is: it does not start"):
        require("abc", "toys", tmp_path)


def install(venv: Path, *packages: str, index: str) -> None:
    into = ["--python", str(venv / "bin/python"), "--index-url", index]
    subprocess.run([UV, "pip", "install", "--quiet", *into, *packages], check=True, capture_output=True)


def test_a_venv_that_somebody_changed_is_refused(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    environment = environment_of("toys")
    ready_venv(environment)
    install(venv_folder(environment), "toy==2.0", index=repository.index.url)
    with pytest.raises(FrozenError, match="whose packages were changed after it was made"):
        require(environment.hash, "toys", venv_folder(environment))


def test_a_locations_own_venv_is_compared_once_and_marked(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", groups='dev = ["kit"]')
    venv = repository.sync("toys")
    assert not (venv / FILE).exists()
    require(environment_of("toys").hash, "toys", own_venv("toys"))
    marker = read_marker(venv)
    assert marker is not None
    assert marker.environment == environment_of("toys").hash
    (repository.folder / ".headrace/bin/uv").unlink()  # not asked again
    require(environment_of("toys").hash, "toys", own_venv("toys"))


def test_a_lock_that_moved_on_is_refused_until_somebody_syncs(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    repository.sync("toys")
    require(environment_of("toys").hash, "toys", own_venv("toys"))
    folder = repository.add("toys", "toy==2.0")
    with pytest.raises(
        FrozenError, match=rf"toy 1\.0 is installed, which the lock does not have; .*--project {folder}"
    ):
        require(environment_of("toys").hash, "toys", own_venv("toys"))
    repository.sync("toys")
    require(environment_of("toys").hash, "toys", own_venv("toys"))


def test_what_was_installed_by_hand_is_refused(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    venv = repository.sync("toys")
    install(venv, "kit", index=repository.index.url)
    with pytest.raises(FrozenError, match=r"kit 1\.0 is installed, which the lock does not have"):
        require(environment_of("toys").hash, "toys", venv)


def test_what_is_missing_is_refused(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    venv = repository.sync("toys")
    subprocess.run([UV, "pip", "uninstall", "-q", "--python", venv / "bin/python", "toy"], check=True)
    with pytest.raises(FrozenError, match="is not what its lock file says; make it again with"):
        require(environment_of("toys").hash, "toys", venv)


def test_a_plan_of_another_day_is_refused_in_a_venv_that_is_right(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    venv = repository.sync("toys")
    with pytest.raises(FrozenError, match="planned for the environment 0123456789ab"):
        require("0123456789ab", "toys", venv)


def test_without_a_plan_nothing_is_asked(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    require_planned()
    monkeypatch.setenv(VARIABLE, "toys+train:0123456789ab")
    with pytest.raises(FrozenError, match="This step of toys was planned for the environment 0123456789ab"):
        require_planned()


def test_provenance_is_the_plan_the_marker_or_the_lock(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert environment_here("toys") == ""
    repository.add("toys", "toy==1.0", extras='train = ["kit"]')
    assert environment_here("toys") == environment_of("toys").hash
    train = environment_of("toys", ("train",))
    monkeypatch.setattr("sys.prefix", str(ready_venv(train).parent.parent))
    assert environment_here("toys") == train.hash
    monkeypatch.setenv(VARIABLE, "toys+train:0123456789ab")
    assert environment_here("toys") == "0123456789ab"
