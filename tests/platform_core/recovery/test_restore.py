"""A backup that is put back is what was there, in files and in PostgreSQL, and every file that it speaks of is read."""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from platform_core.catalog.opening import open_catalog
from platform_core.cli.main import headrace
from platform_core.errors import RecoveryError
from platform_core.instance import prepare_dagster_home
from platform_core.instance_settings import URL, instance_settings
from platform_core.recovery.backup import back_up
from platform_core.recovery.manifest import NAME
from platform_core.recovery.restore import put_back
from platform_core.settings import current_settings
from platform_core.store.local import LocalStore
from platform_core.store.opening import open_store
from tests.platform_core.catalog.conftest import postgres
from tests.platform_core.history.values import Writer, orders
from tests.platform_core.played_daemon import beat_daemon
from tests.platform_core.postgres import Postgres
from tests.repository.tree import ROOT

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installation with a version and an event, in files or on a server."""
    for name, value in {"DAGSTER_HOME": "/elsewhere", URL: "", "HEADRACE_REPOSITORY": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        server.run("DROP SCHEMA IF EXISTS dagster CASCADE")
        monkeypatch.setenv("PATH", str(server.programs), prepend=":")
        monkeypatch.setenv("HEADRACE_CATALOG", server.new_catalog())
        monkeypatch.setenv("HEADRACE_DAGSTER", server.url)
    return str(request.param)


def write(name: str) -> None:
    settings = current_settings()
    store = open_store(settings.store)
    assert isinstance(store, LocalStore)
    Writer(open_catalog(settings.catalog), store)(orders(), name)
    with instance() as there:
        there.add_dynamic_partitions("seen", [name])


def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(prepare_dagster_home(current_settings())))


def known() -> tuple[list[str], list[str]]:
    """What catalog and Dagster know of."""
    with instance() as there:
        seen = sorted(there.get_dynamic_partitions("seen"))
    return sorted(version.asset for version in open_catalog(current_settings().catalog).all_versions()), seen


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(headrace, list(arguments))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_what_is_restored_is_what_was_backed_up_and_sound(where: str, tmp_path: Path):
    write("shop/before")
    folder = tmp_path / "backup"
    assert run("backup", str(folder))[0] == 0
    write("shop/after")
    assert known() == (["shop/after", "shop/before"], ["shop/after", "shop/before"])
    with pytest.raises(RecoveryError, match="--replace"):
        run("restore", str(folder))
    code, told = run("restore", str(folder), "--replace", "--json")
    assert code == 0
    assert json.loads(told)["versions"] == 1
    assert known() == (["shop/before"], ["shop/before"])
    write("shop/later")  # it can be gone on from
    assert known()[0] == ["shop/before", "shop/later"]


def test_a_file_that_was_lost_meanwhile_is_told(where: str, tmp_path: Path):
    write("shop/before")
    assert run("backup", str(tmp_path / "backup"))[0] == 0
    for path in Path(current_settings().store).rglob("*.parquet"):
        path.chmod(0o600)
        path.unlink()
    code, told = run("restore", str(tmp_path / "backup"), "--replace")
    assert code == 1
    assert "shop/before" in told


def test_nothing_is_replaced_while_a_daemon_lives(where: str, tmp_path: Path):
    write("shop/before")
    run("backup", str(tmp_path / "backup"))
    with instance() as there:
        beat_daemon(there, "SENSOR", time.time())
    with pytest.raises(RecoveryError, match="stop it"):
        run("restore", str(tmp_path / "backup"), "--replace")
    with instance() as there:
        beat_daemon(there, "SENSOR", (datetime.now() - timedelta(hours=1)).timestamp())
    assert run("restore", str(tmp_path / "backup"), "--replace")[0] == 0


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", "/elsewhere")
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    write("shop/before")
    back_up(current_settings(), instance_settings(), tmp_path / "backup")
    return tmp_path / "backup"


def test_a_backup_that_was_interrupted_or_changed_is_refused(made: Path):
    before = known()
    (made / "catalog.db").write_bytes(b"other")
    with pytest.raises(RecoveryError, match="not what was backed up"):
        put_back(current_settings(), instance_settings(), made, replace=True)
    (made / NAME).unlink()
    with pytest.raises(RecoveryError, match="no complete backup"):
        put_back(current_settings(), instance_settings(), made, replace=True)
    assert known() == before


def test_a_backup_of_another_kind_of_installation_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_DAGSTER", "postgresql://db/x")
    with pytest.raises(RecoveryError, match="HEADRACE_DAGSTER"):
        put_back(current_settings(), instance_settings(), made, replace=True)


def test_a_backup_gets_a_folder_of_its_own(made: Path):
    with pytest.raises(RecoveryError, match="not empty"):
        back_up(current_settings(), instance_settings(), made)
    assert made.stat().st_mode & 0o077 == 0


def test_without_a_catalog_there_is_nothing_to_back_up(tmp_path: Path):
    with pytest.raises(RecoveryError, match="no catalog"):
        back_up(current_settings(), instance_settings(), tmp_path / "backup")


def test_a_program_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HEADRACE_DAGSTER", "postgresql://db/x")
    with pytest.raises(RecoveryError, match="pg_dump is not installed"):
        back_up(current_settings(), instance_settings(), tmp_path / "backup")
