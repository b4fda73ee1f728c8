"""What a location's pyproject.toml says, and what is wrong with one that cannot be read."""

from pathlib import Path

import pytest

from platform_core.environments.project import read_project
from platform_core.errors import FrozenError

BASE = '[project]\nname = "toys"\n'


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_extras_and_groups_are_chosen_by_name_without_the_one_for_development(tmp_path: Path) -> None:
    text = (
        BASE
        + 'dependencies = ["a"]\n[project.optional-dependencies]\nx = ["b>1"]\n'
        + '[dependency-groups]\ny = ["c", {include-group = "z"}]\nz = []\ndev = ["pytest"]\n'
    )
    project = read_project(write(tmp_path, text))
    assert project.extras == ("x",)
    assert project.groups == ("y", "z")
    assert project.arguments_for(("z", "x")) == ["--no-default-groups", "--extra", "x", "--group", "z"]


@pytest.mark.parametrize("said", ['"curl; rm -rf /"', '["Gomp 1"]', "[7]", '["$(id)"]', '["--allow-x"]'])
def test_what_is_no_name_of_a_package_never_reaches_a_shell(said: str, tmp_path: Path) -> None:
    text = BASE + f"[tool.headrace]\nsystem-packages = {said}\n"
    with pytest.raises(FrozenError, match="system-packages is a list of names of Debian packages"):
        read_project(write(tmp_path, text))


def test_system_packages_count_once_and_sorted(tmp_path: Path) -> None:
    text = BASE + '[tool.headrace]\nsystem-packages = ["libpq5", "libgomp1=12.2.0-14", "libpq5"]\n'
    assert read_project(write(tmp_path, text)).system_packages == ("libgomp1=12.2.0-14", "libpq5")


@pytest.mark.parametrize("text", ["", "[project", '[project]\nversion = "1"', BASE + 'optional-dependencies = "x"'])
def test_a_broken_file_is_one_sentence_that_names_it(text: str, tmp_path: Path) -> None:
    with pytest.raises(FrozenError, match=r"pyproject\.toml cannot be read \("):
        read_project(write(tmp_path, text))
