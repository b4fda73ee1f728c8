"""What an image tells of itself, on a venv that stands for one."""

from pathlib import Path

import pytest

from platform_core.environments.environment import environment_of
from platform_core.environments.images import inside
from platform_core.environments.images.contents import code_hash, copy_code
from platform_core.environments.images.inside import report
from platform_core.environments.venvs import ready_venv
from tests.platform_core.environments.support.toys import Repository


def test_marker_code_and_definitions_are_reported(
    checkout: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "_why_not_loading", lambda location: f"{location} was loaded")
    venv = ready_venv(environment_of("app")).parent.parent
    image = tmp_path / "image"
    copy_code(environment_of("app"), checkout.folder, image, "")
    found = report(venv, image)
    assert found["marker"]["environment"] == environment_of("app").hash
    assert found["installed"] == found["marker"]["packages"]
    assert found["loading"] == "app was loaded"
    assert found["code"] == code_hash("app")


def test_one_without_marker_or_code_says_so(checkout: Repository, tmp_path: Path) -> None:
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    found = report(tmp_path, tmp_path)
    assert (found["marker"], found["code"], found["installed"], found["loading"]) == (None, "", {}, "")
