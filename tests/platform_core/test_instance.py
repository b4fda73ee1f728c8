"""Each namespace has a Dagster home of its own, with the settings of the repository in it."""

import os
from pathlib import Path

import pytest

from platform_core.instance import prepare_dagster_home
from platform_core.settings import Settings, current_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """Settings of a repository that the tests may write to."""
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere/else")  # also so that it is put back after the test
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return current_settings()


def test_the_home_is_made_and_used_by_this_process(settings: Settings, tmp_path: Path) -> None:
    home = prepare_dagster_home(settings)
    assert home == tmp_path / "home" / "dagster" / "user-tess"
    assert os.environ["DAGSTER_HOME"] == str(home)


def test_the_settings_of_the_repository_are_in_it(settings: Settings, tmp_path: Path) -> None:
    home = prepare_dagster_home(settings)
    assert (home / "dagster.yaml").resolve() == tmp_path / "dagster.yaml"
    assert [path.name for path in home.iterdir()] == ["dagster.yaml"]


def test_it_can_be_prepared_again(settings: Settings) -> None:
    assert prepare_dagster_home(settings) == prepare_dagster_home(settings)


@pytest.mark.parametrize("before", ["a link to elsewhere", "a file"])
def test_settings_from_elsewhere_are_replaced(before: str, settings: Settings, tmp_path: Path) -> None:
    path = settings.dagster_home / "dagster.yaml"
    path.parent.mkdir(parents=True)
    path.symlink_to("/nowhere.yaml") if "link" in before else path.write_text("old")
    prepare_dagster_home(settings)
    assert path.resolve() == tmp_path / "dagster.yaml"


def test_namespaces_do_not_share_a_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = prepare_dagster_home(settings)
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    assert prepare_dagster_home(current_settings()) != ours
