"""What a venv says of itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from platform_core.environments.environment import environment_of
from platform_core.environments.marker import FILE, installed, normal, read_marker, write_marker
from tests.platform_core.environments.support.toys import ROOT, Repository


def test_a_marker_is_read_as_it_was_written(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", "kit")
    venv = repository.sync("toys")
    environment = environment_of("toys")
    written = write_marker(venv, **environment.identity)
    assert read_marker(venv) == written
    assert written.environment == environment.hash
    assert written.python.startswith("3.11.")
    assert installed(venv) == written.packages == {"toy": "1.0", "kit": "1.0"}
    assert written.label == str(environment)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"environment": "x"}'])
def test_a_broken_marker_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    assert read_marker(tmp_path) is None
    assert read_marker(tmp_path / "nowhere") is None


def test_names_have_one_spelling() -> None:
    assert normal("Scikit_Learn.X") == "scikit-learn-x"


def test_it_runs_as_a_script_where_nothing_of_the_platform_is(repository: Repository, tmp_path: Path) -> None:
    repository.add("toys", "toy==1.0")
    venv, identity = repository.sync("toys"), environment_of("toys").identity
    script = ROOT / "platform_core/environments/marker.py"
    command = [sys.executable, "-I", "-S", str(script), str(venv), json.dumps(identity)]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert read_marker(venv) == write_marker(venv, **identity)
