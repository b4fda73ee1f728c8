"""What is wrong with catalog, store and clocks is told, and nothing is changed by looking."""

import os
import stat
import time
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.schema import HEAD
from platform_core.doctor.data import look_at_catalog, look_at_store
from platform_core.doctor.findings import Finding, looked_at
from platform_core.settings import Settings, current_settings
from tests.platform_core.catalog.conftest import postgres
from tests.platform_core.postgres import Postgres

__all__ = ["postgres"]


def look(settings: Settings) -> list[Finding]:
    return looked_at("catalog", partial(look_at_catalog, settings))


def test_a_catalog_that_was_not_made_yet_is_not_made_by_looking(settings: Settings):
    assert [one.state for one in look(settings)] == ["fine"]
    assert not (settings.home / "catalog.db").exists()


@pytest.mark.parametrize(
    ("revision", "said"), [("0001", "headrace namespace list"), ("9999", "newer than this release")]
)
def test_a_catalog_of_another_release_is_told_and_left(settings: Settings, revision: str, said: str):
    open_catalog(settings.catalog)
    assert [one.state for one in look(settings)] == ["fine"]
    engine = create_engine(settings.catalog)
    with engine.begin() as connection:
        connection.execute(text("UPDATE catalog_revision SET version_num = :new"), {"new": revision})
    [found] = look(settings)
    assert found.state == "wrong"
    assert said in found.sentence
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM catalog_revision")) == revision != HEAD


def test_a_catalog_that_does_not_answer_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_CATALOG", "postgresql://headrace:canary@127.0.0.1:1/x")
    [found] = look(current_settings())
    assert found.state == "wrong"
    assert "\n" not in found.sentence
    assert "canary" not in found.sentence


@pytest.mark.parametrize(("skew", "state"), [(0.0, "fine"), (60.0, "wrong"), (-60.0, "wrong")])
def test_a_clock_that_differs_from_the_servers_is_told(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres, skew: float, state: str
):
    monkeypatch.setenv("HEADRACE_CATALOG", postgres.new_catalog())
    open_catalog(current_settings().catalog)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + skew)
    found = {one.part: one for one in look(current_settings())}
    assert found["clocks"].state == state
    assert ("60 s ahead" in found["clocks"].sentence, "60 s behind" in found["clocks"].sentence) == (skew > 0, skew < 0)


def test_a_store_that_can_be_written_to_is_left_as_it_was(settings: Settings):
    assert [one.state for one in look_at_store(settings)] == ["fine"]
    assert list(Path(settings.store).iterdir()) == []


def test_a_store_that_is_no_folder_is_told(settings: Settings):
    Path(settings.store).parent.mkdir(parents=True, exist_ok=True)
    Path(settings.store).write_text("")
    assert [one.state for one in look_at_store(settings)] == ["wrong"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_store_without_rights_is_told(settings: Settings):
    Path(settings.store).mkdir(parents=True)
    Path(settings.store).chmod(stat.S_IREAD | stat.S_IEXEC)
    assert [one.state for one in look_at_store(settings)] == ["wrong"]
