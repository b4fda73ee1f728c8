"""Where Dagster's instances are kept in PostgreSQL, each namespace has a schema of its own."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from platform_core.instance import known_home, make_dagster_home, remove_dagster_home
from platform_core.instance_settings import PASSWORD, URL, schema_of
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.orchestrator.event_log import report_materializations
from platform_core.settings import Settings
from tests.platform_core.postgres import Postgres, running_postgres

pytest.importorskip("dagster_postgres")
BRANCH = Namespace("branch", "new-engine")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def settings(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HEADRACE_DAGSTER", postgres.url)
    for name in (URL, PASSWORD):
        monkeypatch.setenv(name, "before")  # also so that it is put back after the test
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return Settings(home=tmp_path / "home", repository=tmp_path)


def schemas(postgres: Postgres) -> set[str]:
    return {
        name
        for name in postgres.run("SELECT schema_name FROM information_schema.schemata")
        if name.startswith("dagster")
    }


def test_no_instance_sees_what_is_in_another_one(settings: Settings, postgres: Postgres) -> None:
    for namespace in (PRODUCTION, BRANCH):
        home = make_dagster_home(settings, namespace, settings.repository)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            assert instance.get_dynamic_partitions("days") == []
            instance.add_dynamic_partitions("days", [str(namespace)])
    for namespace in (PRODUCTION, BRANCH):
        with dg.DagsterInstance.from_config(str(known_home(settings, namespace))) as instance:
            assert instance.get_dynamic_partitions("days") == [str(namespace)]
            assert not instance.telemetry_enabled  # the rest of dagster.yaml holds, too
    assert schemas(postgres) == {"dagster", "dagster_branch_new_engine"}

    remove_dagster_home(settings, BRANCH)
    remove_dagster_home(settings, BRANCH)
    assert schemas(postgres) == {"dagster"}
    assert [path.name for path in (settings.home / "dagster").iterdir()] == ["production"]


def test_materializations_of_no_run_are_written_together(settings: Settings) -> None:
    home, at = make_dagster_home(settings, BRANCH, settings.repository), datetime(2026, 1, 1, tzinfo=UTC)
    given = [dg.AssetMaterialization(name, tags={"dagster/data_version": name}) for name in ("one", "two", "one")]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        report_materializations(instance, [(at, event) for event in given])
        for name, number in (("one", 2), ("two", 1)):
            records = instance.fetch_materializations(dg.AssetKey(name), limit=5).records
            latest = instance.get_latest_materialization_event(dg.AssetKey(name))
            assert len(records) == number
            assert latest is not None
            assert (latest.timestamp, latest.asset_materialization) == (
                at.timestamp(),
                given[0 if name == "one" else 1],
            )


def test_an_instance_is_found_from_a_machine_that_never_saw_it(settings: Settings, tmp_path: Path) -> None:
    home = make_dagster_home(settings, BRANCH, settings.repository)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.add_dynamic_partitions("days", ["monday"])
    elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    with dg.DagsterInstance.from_config(str(known_home(elsewhere, BRANCH))) as instance:
        assert instance.get_dynamic_partitions("days") == ["monday"]


def test_no_file_holds_the_password(settings: Settings, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password = postgres.url.replace("postgres:@", "postgres:secret@", 1)
    assert "secret" in with_password
    monkeypatch.setenv("HEADRACE_DAGSTER", with_password)
    home = make_dagster_home(settings, BRANCH, settings.repository)
    assert "secret" not in (home / "dagster.yaml").read_text()
    assert os.environ[PASSWORD] == "secret"
    with dg.DagsterInstance.from_config(str(home)):
        pass


def test_schemas_are_told_apart_and_fit() -> None:
    names = {schema_of(Namespace("branch", name)) for name in ("a-b", "a--b", "x" * 40)}
    assert len(names) == 3
    assert all(name and len(name) <= 63 for name in names)
