"""What a library imports and nobody calls is not loaded, and is there when it is called after all."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from platform_core.dagster_internals import NEWEST_MIGRATION, _in_files
from platform_core.spared_imports import postponed, without, without_init_of

HEAVY = {
    "__init__.py": "import sys\nsys.modules['heavy_was_executed'] = sys",
    "tools.py": "class Hammer:\n    @classmethod\n    def of(cls, n): return n\ndef hit(n): return n + 1",
    "nails.py": "NAILS = 3",
}
OPENED = """
import sys
import dagster as dg
from platform_core.dagster_internals import spare_default_state, spare_imports
spare_imports()
spare_default_state()
from dagster._core.storage import sql
sql.get_alembic_config(__name__, config_path="where that of PostgreSQL is")
for _ in range(2):
    with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
        print(instance.get_runs_count(), "alembic" in sys.modules, "upath" in sys.modules, "structlog" in sys.modules)
"""


@pytest.fixture
def heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "heavy").mkdir()
    for name, text in HEAVY.items():
        (tmp_path / "heavy" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("heavy")]:
        del sys.modules[name]


def test_what_is_spared_is_imported_when_it_is_called(heavy: Path) -> None:
    names: dict[str, object] = {}
    with without({"heavy": (), "heavy.tools": ("Hammer", "hit")}):
        exec("from heavy.tools import Hammer, hit", names)
    assert not {name for name in sys.modules if name.startswith("heavy")}
    assert names["hit"](1) == 2  # type: ignore[operator]
    assert names["Hammer"].of(5) == 5  # type: ignore[attr-defined]
    assert "heavy_was_executed" in sys.modules


def test_what_is_there_already_is_left_alone(heavy: Path) -> None:
    from heavy import tools  # type: ignore[import-not-found]

    with without({"heavy": (), "heavy.tools": ("hit",)}), without_init_of("heavy"):
        from heavy.tools import hit  # type: ignore[import-not-found]
    assert hit is tools.hit
    assert sys.modules["heavy.tools"] is tools


def test_a_module_without_the_init_of_its_package(heavy: Path) -> None:
    with without_init_of("heavy"):
        from heavy.nails import NAILS  # type: ignore[import-not-found]
    assert (NAILS, "heavy_was_executed" in sys.modules) == (3, False)
    import heavy as whole

    assert whole.__file__
    assert "heavy_was_executed" in sys.modules


def test_an_object_is_made_once_and_not_before_it_is_asked() -> None:
    made = iter(["text"])
    stand_in = postponed(lambda: next(made))
    assert (stand_in.upper(), stand_in.title()) == ("TEXT", "Text")

    made = iter(["text"])
    postponed(lambda: next(made))
    assert list(made) == ["text"]


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
