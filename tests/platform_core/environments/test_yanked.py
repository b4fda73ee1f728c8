"""Versions that an index has withdrawn: asked once a day, and said so when it cannot be asked."""

import os
import time

import pytest

from platform_core.environments.project import project_of
from platform_core.environments.yanked import FRESH, Withdrawn, withdrawn
from platform_core.errors import FrozenError
from platform_core.settings import current_settings
from tests.platform_core.environments.support.toys import Repository


def test_a_withdrawn_version_is_found_with_its_reason(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", "kit")
    repository.index.withdraw("toy", "1.0", "it broke things")
    try:
        assert withdrawn(project_of("toys")) == (Withdrawn("toy", "1.0", "it broke things"),)
        assert str(withdrawn(project_of("toys"))[0]) == "toy 1.0 (it broke things)"
    finally:
        repository.index.add("toy", "1.0")


def test_what_is_in_extras_and_groups_is_asked_for_too(repository: Repository) -> None:
    repository.add("toys", extras='train = ["toy==1.0"]')
    repository.index.withdraw("toy", "1.0", "")
    try:
        assert [item.name for item in withdrawn(project_of("toys"))] == ["toy"]
    finally:
        repository.index.add("toy", "1.0")


def test_an_answer_counts_for_a_day(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    assert withdrawn(project_of("toys")) == ()
    repository.index.withdraw("toy", "1.0", "late")
    try:
        assert withdrawn(project_of("toys")) == ()
        (answer,) = (current_settings().home / "yanked").iterdir()
        yesterday = time.time() - FRESH - 1
        os.utime(answer, (yesterday, yesterday))
        assert len(withdrawn(project_of("toys"))) == 1
    finally:
        repository.index.add("toy", "1.0")


def test_another_lock_is_asked_about_at_once(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    assert withdrawn(project_of("toys")) == ()
    repository.add("toys", "toy==2.0")
    repository.index.withdraw("toy", "2.0", "")
    try:
        assert len(withdrawn(project_of("toys"))) == 1
    finally:
        repository.index.add("toy", "2.0")


def test_without_network_it_is_said(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.add("toys", "toy==1.0")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(repository.folder / "empty"))
    with pytest.raises(FrozenError, match="The index cannot be asked whether what toys locks was withdrawn"):
        withdrawn(project_of("toys"))
