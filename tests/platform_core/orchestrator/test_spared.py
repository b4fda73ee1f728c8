"""A process that works on runs opens instances without what it never needs."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg

from platform_core.orchestrator.spared import NEWEST_MIGRATION, _in_files

OPENED = """
import sys
import dagster as dg
from platform_core.orchestrator.spared import spare_default_state, spare_imports
spare_imports()
spare_default_state()
from dagster._core.storage import sql
sql.get_alembic_config(__name__, config_path="where that of PostgreSQL is")
for _ in range(2):
    with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
        print(instance.get_runs_count(), "alembic" in sys.modules, "upath" in sys.modules, "structlog" in sys.modules)
"""


def test_an_instance_in_files_is_made_and_opened_without_what_is_spared(tmp_path: Path) -> None:
    def opened() -> list[str]:
        command = [sys.executable, "-c", OPENED, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert opened() == opened() == ["0 False False False"] * 2
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:  # and Dagster itself finds nothing to do in it
        storages: list[Any] = [instance.run_storage, instance.event_log_storage, instance.schedule_storage]
        for found, newest in (storage.alembic_version() for storage in storages):
            assert found == newest == NEWEST_MIGRATION


def test_a_database_that_is_not_in_a_file_is_asked_as_ever() -> None:
    asked = _in_files(lambda _: "own", lambda *given: given)
    postgres = SimpleNamespace(dialect=SimpleNamespace(name="postgresql"))
    sqlite = SimpleNamespace(dialect=SimpleNamespace(name="sqlite"))
    assert asked("config", postgres) == ("config", postgres)
    assert asked("config", sqlite) == "own"
    assert asked("config", sqlite, rev="an older one") == ("config", sqlite, "an older one")
