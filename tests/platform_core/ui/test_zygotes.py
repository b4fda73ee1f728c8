"""What is started is a process of its own with the folder, variables and code that were asked for."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_core.errors import SettingsError
from platform_core.ui.zygotes import Start, Started, Zygotes, stop

TELLS = """
import json, os, sys, time
import colorsys  # a library that nothing else imports
from pathlib import Path
told = {
    "arguments": sys.argv[1:], "folder": os.getcwd(), "name": os.environ.get("NAME"), "home": os.environ.get("HOME"),
    "dagster": "dagster" in sys.modules, "executable": sys.executable, "parent": os.getppid(),
}
if __name__ == "__main__":
    print("printed", flush=True)
    Path("told.new").write_text(json.dumps(told))
    Path("told.new").rename("told.json")
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def zygotes() -> Iterator[Zygotes]:
    zygotes = Zygotes()
    yield zygotes
    zygotes.close()


def asked(folder: Path, interpreter: Path = Path(sys.executable)) -> Start:
    (folder / "tells.py").write_text(TELLS)
    return Start(interpreter, "tells", ("a", "b"), folder, {"NAME": "value"}, folder / "log")


def told(folder: Path) -> dict[str, object]:
    import json

    until = time.monotonic() + 120
    while not (folder / "told.json").exists():
        assert time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.01)
    found: dict[str, object] = json.loads((folder / "told.json").read_text())
    return found


def test_a_module_runs_where_and_as_it_was_asked(zygotes: Zygotes, tmp_path: Path) -> None:
    started = zygotes.start(asked(tmp_path))
    found = told(tmp_path)
    assert found["arguments"] == ["a", "b"]
    assert (found["folder"], found["name"], found["home"]) == (str(tmp_path), "value", None)
    assert found["dagster"], "it was not forked from a process that has Dagster loaded"
    assert found["executable"] == sys.executable
    assert (tmp_path / "log").read_text() == "printed\n"
    assert started.is_alive
    stop([started])
    assert not started.is_alive


def test_two_folders_with_modules_of_one_name_do_not_meet(zygotes: Zygotes, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    both = [zygotes.start(asked(tmp_path / name)) for name in ("one", "two")]
    assert [told(tmp_path / name)["folder"] for name in ("one", "two")] == [str(tmp_path / n) for n in ("one", "two")]
    stop(both)


def test_what_a_module_of_ours_imports_is_learnt_but_not_the_module(zygotes: Zygotes, tmp_path: Path) -> None:
    zygotes.learn(asked(tmp_path))
    (tmp_path / "tells.py").write_text("import sys; print('colorsys' in sys.modules, 'tells' in sys.modules)")
    (tmp_path / "log").unlink()
    started = zygotes.start(Start(Path(sys.executable), "tells", (), tmp_path, {}, tmp_path / "log"))
    gone(started)
    assert (tmp_path / "log").read_text() == "True False\n"


def test_what_cannot_be_imported_teaches_nothing_and_harms_nothing(zygotes: Zygotes, tmp_path: Path) -> None:
    broken = asked(tmp_path)
    (tmp_path / "tells.py").write_text("import nonsense_that_is_not_there")
    zygotes.learn(broken)
    assert "No module named" in (tmp_path / "log").read_text()
    stop([zygotes.start(asked(tmp_path))])


def test_all_of_it_ends_with_the_process_that_asked(tmp_path: Path) -> None:
    zygotes = Zygotes()
    started = zygotes.start(asked(tmp_path))
    told(tmp_path)
    zygotes.close()
    gone(started)


def test_an_environment_that_is_not_there_is_named(zygotes: Zygotes, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist; make it with"):
        zygotes.start(asked(tmp_path, tmp_path / "venv" / "bin" / "python"))


def gone(started: Started) -> None:
    until = time.monotonic() + 120
    while started.is_alive:
        assert time.monotonic() < until, os.listdir("/proc")
        time.sleep(0.01)
