"""Daemons that are silent and code servers that do not answer are told."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
import yaml

from platform_core.daemon.lease import Lease
from platform_core.doctor.findings import Finding, looked_at
from platform_core.doctor.orchestration import look_at_code_servers, look_at_dagster
from platform_core.instance import prepare_dagster_home
from platform_core.instance_settings import PASSWORD, URL, instance_settings
from platform_core.orchestrator.daemons import wanted_daemons
from platform_core.settings import current_settings
from tests.platform_core.catalog.conftest import postgres
from tests.platform_core.played_daemon import beat_daemon
from tests.platform_core.postgres import Postgres
from tests.repository.tree import ROOT

__all__ = ["postgres"]


@pytest.fixture(autouse=True)
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere/else")  # also so that it is put back after the test
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(current_settings()))) as instance:
        yield instance


def daemons() -> list[Finding]:
    return [one for one in looked_at("x", partial(look_at_dagster, current_settings())) if one.part == "daemon"]


def test_an_installation_without_a_daemon_is_wrong_in_production_alone(monkeypatch: pytest.MonkeyPatch):
    assert [one.state for one in daemons()] == ["wrong"]
    monkeypatch.setenv("HEADRACE_NAMESPACE", "user/tess")
    assert [one.state for one in daemons()] == ["unknown"]


def test_daemons_that_are_heard_of_are_fine(instance: dg.DagsterInstance):
    for name in wanted_daemons(instance):
        beat_daemon(instance, name, time.time())
    assert [one.state for one in daemons()] == ["fine"]


def test_each_daemon_that_is_silent_is_named(instance: dg.DagsterInstance):
    first, second, *others = wanted_daemons(instance)
    beat_daemon(instance, first, time.time() - 3 * 3600)
    for name in others:
        beat_daemon(instance, name, time.time())
    told = [one.sentence for one in daemons()]
    assert any(first in sentence and "3 hours ago" in sentence for sentence in told)
    assert any(second in sentence and "never" in sentence for sentence in told)
    assert len(told) == 2


def test_a_daemon_without_a_standby_is_noted_and_a_lease_that_nobody_holds_is_wrong(
    instance: dg.DagsterInstance, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HEADRACE_DAGSTER", postgres.url)
    for name in (URL, PASSWORD):
        monkeypatch.setenv(name, "before")  # also so that it is put back after the test

    def told() -> tuple[str, str]:
        found = looked_at("x", partial(look_at_dagster, current_settings()))
        [one] = [one for one in found if one.part == "lease of the daemon"]
        return one.state, one.sentence

    assert told()[0] == "unknown"
    there = instance_settings().url
    one, other = Lease(there, "one/1", 600), Lease(there, "two/2", 600)
    one.prepare()
    assert told()[0] == "wrong"
    one.take()
    state, sentence = told()
    assert (state, "one/1 leads and nobody stands by" in sentence) == ("unknown", True)
    other.beat()
    assert told() == ("fine", "one/1 leads, with lease 1; there stands by: two/2.")
    one.release(1)
    assert "within seconds" in told()[1]
    postgres.run("DROP SCHEMA dagster CASCADE")


def test_a_code_server_that_does_not_answer_is_told(tmp_path: Path):
    workspace = tmp_path / "workspace.yaml"
    server = {"grpc_server": {"host": "127.0.0.1", "port": 1, "location_name": "flights"}}
    workspace.write_text(yaml.safe_dump({"load_from": [server]}))
    [found] = look_at_code_servers(workspace)
    assert (found.part, found.state) == ("code server flights", "wrong")
    assert "127.0.0.1:1" in found.sentence


def test_a_workspace_that_is_not_there_is_told(tmp_path: Path):
    assert [one.state for one in look_at_code_servers(tmp_path / "none.yaml")] == ["wrong"]
