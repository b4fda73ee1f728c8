"""On every save what changed is reloaded, and nothing else; a warm process takes it from there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_core.runner.loading import load_location
from platform_core.runner.trying import Wish
from platform_core.runner.watching import Watch, watch
from platform_core.settings import current_settings
from platform_core.warm import address_of, ask

REPOSITORY = Path(__file__).resolve().parents[3]
HELPERS = "FACTOR = 2\n"
FEATURES = """\
import polars as pl
from {package}.helpers import FACTOR
from platform_core import feature

@feature(key_prefix="t")
def doubled() -> pl.DataFrame:
    return pl.DataFrame({{"x": [1 * FACTOR]}})
"""
OTHERS = "LOADED = object()\n"
DEFINITIONS = """\
import dagster as dg
from {package} import features, others
from platform_core.io_manager import HeadraceIOManager
defs = dg.Definitions([features.doubled], resources={{"io_manager": HeadraceIOManager()}})
"""

Save = Callable[[str, str], None]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"watched_{abs(hash(tmp_path))}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    for file, text in (("helpers", HELPERS), ("features", FEATURES), ("others", OTHERS), ("definitions", DEFINITIONS)):
        (tmp_path / name / f"{file}.py").write_text(text.format(package=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def save(package: str, tmp_path: Path) -> Save:
    def saved(file: str, text: str) -> None:
        path = tmp_path / package / f"{file}.py"
        path.write_text(text.format(package=package))
        later = path.stat().st_mtime_ns + 1_000_000_000 * len(text)  # else two saves in one tick would be one
        os.utime(path, ns=(later, later))

    return saved


def value(told: dict[str, Any]) -> str:
    return str(told["value"]["head"])


def test_what_changed_and_what_imports_it_is_reloaded_and_nothing_else(package: str, save: Save) -> None:
    watched = Watch.of(load_location("t", f"{package}.definitions"), Wish("doubled"))
    others = sys.modules[f"{package}.others"].LOADED
    assert "│ 2   │" in value(watched.result())
    save("helpers", "FACTOR = 3\n")
    assert watched.take() == [f"{package}.helpers", f"{package}.features"]
    assert "│ 3   │" in value(watched.result())
    assert watched.take() == []
    assert sys.modules[f"{package}.others"].LOADED is others


def test_a_save_that_does_not_load_is_told_with_its_line_and_the_next_one_is_tried(package: str, save: Save) -> None:
    told: list[dict[str, Any]] = []

    class Messages:
        def send(self, kind: str, **content: Any) -> None:
            told.append({"kind": kind, **content})
            edits = ["FACTOR = \n", "import nothing_like_it\n", "FACTOR = 5\n"]
            if len(told) <= len(edits):
                save("helpers", edits[len(told) - 1])

    watch(load_location("t", f"{package}.definitions"), Wish("doubled"), Messages(), stop=lambda: len(told) > 3)
    assert [message["kind"] for message in told] == ["tried", "refused", "refused", "tried"]
    assert told[1]["sentence"].startswith("SyntaxError: invalid syntax (")
    assert told[1]["sentence"].endswith("helpers.py:1)")
    assert "No module named 'nothing_like_it'" in told[2]["sentence"]
    assert told[2]["sentence"].endswith("helpers.py:1)")
    assert "│ 5   │" in value(told[3])


def test_a_warm_process_answers_with_what_was_saved_since_and_ends_with_whoever_started_it(
    package: str, save: Save, tmp_path: Path
) -> None:
    address = address_of("t", current_settings())
    assert ask(address, {}, 1) is None
    command = [sys.executable, "-m", "platform_core.runner.warm", "t", f"{package}.definitions"]
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{tmp_path}"}
    environment["HEADRACE_REPOSITORY"] = str(current_settings().repository)
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    first = answer(address, package)
    assert "│ 2   │" in value(first[-1])
    save("features", FEATURES.replace("1 * FACTOR", "7"))
    assert "│ 7   │" in value(answer(address, package)[-1])
    save("features", "1 +")
    assert "SyntaxError" in answer(address, package, code=1)[-1]["sentence"]
    process.stdin.close()
    assert process.wait(30) == 0
    assert not address.exists()


def answer(address: Path, package: str, code: int = 0) -> list[dict[str, Any]]:
    ours, theirs = os.pipe()
    wish = {"asset": "doubled"}
    request = {"verb": "try", "wish": wish, "location": "t", "module": f"{package}.definitions"}
    asked = ask(address, request, theirs)
    os.close(theirs)
    assert asked is not None
    with os.fdopen(ours) as lines:
        told = [json.loads(line) for line in lines]
    assert asked.wait() == code, asked.stdout.read()
    asked.stdout.close()
    return told
