"""A daemon as a process; several of them are in `tests/faults`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from platform_core.daemon.lock import only_daemon
from platform_core.instance import prepare_dagster_home
from platform_core.settings import current_settings
from tests.repository.tree import ROOT

PATIENCE = 120.0  # seconds, on a machine that does other things too


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DAGSTER_HOME", "before")  # also so that it is put back after the test
    path = tmp_path / "workspace.yaml"
    path.write_text("load_from: []\n")
    return path


def test_a_second_one_of_an_instance_in_files_is_told_of_the_first(workspace: Path) -> None:
    with only_daemon(prepare_dagster_home(current_settings())):
        command = [sys.executable, "-m", "platform_core.daemon", "--workspace", str(workspace)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 1
    assert done.stderr.startswith(f"✗ The process {os.getpid()} is the daemon of ")
