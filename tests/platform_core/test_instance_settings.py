"""A Dagster instance for production, by settings alone."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from platform_core.errors import SettingsError
from platform_core.instance import prepare_dagster_home
from platform_core.instance_settings import URL, instance_settings, merged
from platform_core.settings import current_settings
from tests.platform_core.catalog.conftest import postgres
from tests.platform_core.postgres import Postgres
from tests.repository.tree import ROOT

__all__ = ["postgres"]


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/somewhere/else")  # also so that it is put back after the test
    monkeypatch.setenv(URL, "")
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))


def written(home: Path) -> dict:
    found: dict = yaml.safe_load((home / "dagster.yaml").read_text())
    return found


def test_without_settings_the_repositorys_own_file_is_used():
    assert (prepare_dagster_home(current_settings()) / "dagster.yaml").is_symlink()


def test_limits_are_put_over_what_the_repository_says(monkeypatch: pytest.MonkeyPatch):
    for name, value in {"MAX_RUNS": "25", "MAX_RUNS_PER_LOCATION": "4", "POOL_LIMIT": "3", "KEEP_TICKS": "90"}.items():
        monkeypatch.setenv(f"HEADRACE_{name}", value)
    home = prepare_dagster_home(current_settings())
    with dg.DagsterInstance.from_config(str(home)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 25
        assert queue.tag_concurrency_limits == [
            {"key": "dagster/code_location", "value": {"applyLimitPerUniqueValue": True}, "limit": 4}
        ]
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 3
    assert written(home)["run_monitoring"]["enabled"]
    assert written(home)["retention"]["schedule"]["purge_after_days"]["failure"] == 90
    monkeypatch.delenv("HEADRACE_MAX_RUNS")
    assert written(prepare_dagster_home(current_settings()))["concurrency"]["runs"]["max_concurrent_runs"] == 2


def test_a_run_may_wait_for_its_machine_as_long_as_settings_say(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_RUN_START_TIMEOUT", "45")
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(current_settings()))) as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_start_timeout_seconds == 45


def test_faults_of_machines_are_tried_again_and_those_of_code_are_not():
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(current_settings()))) as instance:
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 2
        assert not instance.run_retries_retry_on_asset_or_op_failure


def test_production_is_in_postgresql_and_a_personal_namespace_is_not(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres
):
    monkeypatch.setenv("HEADRACE_DAGSTER", postgres.url)
    homes = []
    for namespace in ("production", "user/ann"):
        monkeypatch.setenv("HEADRACE_NAMESPACE", namespace)
        homes.append(prepare_dagster_home(current_settings()))
    for home, name in zip(homes, ("production", "ann"), strict=True):
        with dg.DagsterInstance.from_config(str(home)) as instance:
            assert instance.get_dynamic_partitions("days") == []
            instance.add_dynamic_partitions("days", [name])
    assert (homes[1] / "history" / "runs.db").exists()
    assert not (homes[0] / "history" / "runs.db").exists()
    assert postgres.url not in (homes[0] / "dagster.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "value"), [("DAGSTER", "sqlite:///x.db"), ("DAGSTER", "nonsense"), ("MAX_RUNS", "0"), ("MAX_RUNS", "many")]
)
def test_what_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(f"HEADRACE_{name}", value)
    with pytest.raises(SettingsError, match=f"HEADRACE_{name} cannot be used"):
        instance_settings()


def test_trees_of_settings_are_merged():
    assert merged({"a": {"b": 1, "c": [1]}, "d": 2}, {"a": {"c": [2]}, "d": {"e": 3}}) == {
        "a": {"b": 1, "c": [2]},
        "d": {"e": 3},
    }
