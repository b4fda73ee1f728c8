"""A sweep through the real command: mistakes, failures, a machine that dies in the middle, and what is left to do."""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import TRIAL
from platform_core.namespaces import Namespace
from tests.end_to_end.conftest import FLIGHTS, REPOSITORY, Headrace
from tests.end_to_end.small_repository import small_repository

ASSETS = """
import os
import time

import dagster as dg
import polars as pl

from platform_core import fact, log_metric, model


class Trees(dg.Config):
    depth: int = 4
    kind: str = "oak"


@fact
def numbers() -> pl.DataFrame:
    return pl.DataFrame({"number": [1, 2, 3]})


@model
def forest(numbers: pl.DataFrame, config: Trees) -> dict[str, int]:
    with open("calls.txt", "a") as calls:
        calls.write(f"{config.kind} {config.depth}\\n")
    time.sleep(0.02)
    if (config.kind, config.depth) == ("crash", 3):
        os._exit(7)
    if (config.kind, config.depth) == ("crash", 4):
        time.sleep(1000)
    if (config.kind, config.depth) == ("crash", 5):
        raise ValueError("five is too many")
    log_metric("auc", 0.5 + config.depth / 1000)
    return {"rows": numbers.height, "depth": config.depth}
"""

pytestmark = pytest.mark.skipif(not FLIGHTS.is_file(), reason="the environment of the location flights is not there")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_repository(tmp_path_factory.mktemp("repository"))
    (folder / "code_locations" / "flights" / "assets.py").write_text(ASSETS)
    return folder


@pytest.fixture(scope="module")
def tess(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Headrace:
    headrace = Headrace(tmp_path_factory.mktemp("home"), "user/tess", {"PYTHONPATH": str(folder)})
    done = headrace("run", "numbers", cwd=folder)
    assert done.returncode == 0, done.stdout
    return headrace


def calls(folder: Path, kind: str) -> list[int]:
    lines = (folder / "calls.txt").read_text().splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith(f"{kind} ")]


def trials(tess: Headrace, sweep: str) -> list[Any]:
    return open_catalog(f"sqlite:///{tess.home}/catalog.db").trials(sweep)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--grid", "dept=1,2"), "has no parameter 'dept'. Did you mean depth?"),
        (("--grid", "depth=1,two"), "depth=two: Input should be a valid integer"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_tried(
    tess: Headrace, folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = tess("sweep", "forest", *arguments, cwd=folder)
    assert told in done.stdout
    assert done.returncode == 2
    assert not (folder / "calls.txt").exists()


def test_failures_are_the_trials_own_and_the_winner_gets_a_name(tess: Headrace, folder: Path) -> None:
    grid = ("--grid", "depth=1,2,3,4,5,6", "--set", "kind=crash", "--metric", "auc", "--timeout", "4s")
    done = tess("sweep", "forest", *grid, "--alias", "champion", cwd=folder)
    assert done.returncode == 1, done.stdout
    assert "6 trials: 3 done, 3 failed." in done.stdout
    assert "trial 3: Its process ended with exit code 7" in done.stdout
    assert "trial 4: It took longer than 4 s." in done.stdout
    assert "trial 5: ValueError: five is too many" in done.stdout
    assert sorted(calls(folder, "crash")) == [1, 2, 3, 4, 5, 6]
    catalog = open_catalog(f"sqlite:///{tess.home}/catalog.db")
    assert catalog.resolve(Namespace.parse("user/tess"), "flights/forest") == {}
    (best,) = catalog.aliases(Namespace.parse("user/tess"), "flights/forest")
    (version,) = catalog.versions([best.version or ""])
    assert version.provenance.parameters == {"depth": 6, "kind": "crash"}
    assert [item.asset for item in version.provenance.inputs] == ["flights/numbers"]
    assert version.metadata[TRIAL] == "sweep"
    board = tess(
        "leaderboard", "forest", "--by", "auc", "--sweep", best.why.split()[3].rstrip(","), "--json", cwd=folder
    )
    assert [row["param.depth"] for row in json.loads(board.stdout)] == [6, 2, 1]


def test_a_machine_that_dies_in_the_middle_leaves_only_the_rest_to_do(tess: Headrace, folder: Path) -> None:
    grid = ",".join(map(str, range(200)))
    command = [
        str(REPOSITORY / ".venv" / "bin" / "headrace"),
        "sweep",
        "forest",
        "--grid",
        f"depth={grid}",
        "-m",
        "auc",
    ]
    started = subprocess.Popen(command, cwd=folder, env=tess.environment(), stdout=subprocess.DEVNULL)
    catalog, mine = open_catalog(f"sqlite:///{tess.home}/catalog.db"), Namespace.parse("user/tess")
    sweep = _eventually(lambda: [item for item in catalog.sweeps(mine) if item.request["count"] == 200])
    _eventually(lambda: len(catalog.ended_trials(sweep[0].id)) > 136)
    _kill_everything_of(tess.home)
    started.wait()
    ended, before = catalog.ended_trials(sweep[0].id), len(calls(folder, "oak"))
    assert 136 < len(ended) < 200
    done = tess("sweep", "--resume", sweep[0].id, "--use-best", "--json", cwd=folder)
    assert done.returncode == 0, done.stdout
    after = calls(folder, "oak")
    assert len(after) - before == 200 - len(ended)
    told = json.loads(done.stdout[done.stdout.index("[") :])
    assert [trial["parameters"]["depth"] for trial in told] == list(range(200))
    assert all(after.count(told[number - 1]["parameters"]["depth"]) == 1 for number in ended)
    current = catalog.resolve(mine, "flights/forest")[""].version
    assert current.provenance.parameters["depth"] == 199


def _eventually(look: Any) -> Any:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("It did not happen.")


def _kill_everything_of(home: Path) -> None:
    """As when a machine stops: no process of this home is asked."""
    sign = f"HEADRACE_HOME={home}\0".encode()
    for _ in range(2):  # the second time those that were forked meanwhile
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if process.name.isdecimal() and sign in (process / "environ").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
