"""One UI serves production and its branches side by side, and none of them touches another."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import FLIGHTS, Headrace
from tests.end_to_end.running_ui import RunningUI, eventually, running_ui
from tests.end_to_end.small_repository import commit, edit, git, small_repository

BRANCH = "/branch/new-engine"
CHANGES = "{ assetNodes { assetKey { path } changedReasons } }"
STATE = "{ assetNodes { assetKey { path } staleStatus assetMaterializations(limit: 1) { description } } }"
RUNS = "{ runsOrError { ... on Runs { results { runId } } } }"
AUTOMATIONS = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name scheduleState { status } } sensors { name sensorState { status } }
} } } }"""
NEW = '''

@feature
def halves(numbers: pl.DataFrame) -> pl.DataFrame:
    """What only the branch has."""
    return numbers.with_columns(half=pl.col("number") / 2)
'''


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a built production, on main, and a branch with a changed and a new asset."""
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path_factory.mktemp("side-by-side") / "repository")
    done = production(folder)("run", cwd=folder)
    assert done.returncode == 0, done.stdout
    git(folder, "switch", "--quiet", "--create", "new-engine")
    edit(folder, "FACTOR = 2", "FACTOR = 20")
    path = folder / "code_locations" / "flights" / "assets.py"
    path.write_text(path.read_text() + NEW)
    commit(folder, "Ten times as much, and halves")
    git(folder, "branch", "another")
    git(folder, "switch", "--quiet", "main")
    return folder


def production(folder: Path) -> Headrace:
    variables = {"HEADRACE_REPOSITORY": str(folder), "PYTHONPATH": str(folder), "HEADRACE_UI_IDLE": "3"}
    return Headrace(folder / ".headrace", "production").having(**variables)


@pytest.fixture(scope="module")
def ui(repository: Path) -> Iterator[RunningUI]:
    """The UI of production, started while the branch was open already."""
    headrace(repository, "branch", "open", "new-engine")
    with running_ui(production(repository), repository) as ui:
        yield ui


def headrace(repository: Path, *arguments: str) -> str:
    done = production(repository)(*arguments, cwd=repository)
    assert done.returncode == 0, done.stdout
    return done.stdout


def runs(ui: RunningUI, path: str = "") -> set[str]:
    return {run["runId"] for run in ui.ask(RUNS, path)["runsOrError"]["results"]}


def reasons(ui: RunningUI, path: str) -> dict[str, list[str]]:
    nodes = ui.ask(CHANGES, path)["assetNodes"]
    return {node["assetKey"]["path"][-1]: node["changedReasons"] for node in nodes}


def processes(ui: RunningUI) -> list[str]:
    """What runs for the branch."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
            where = (folder / "cwd").readlink()
        except OSError:
            continue
        if group == ui.process.pid or "branch-new-engine" in str(where):
            found.append(str(where))
    return [where for where in found if "branch-new-engine" in where]


def test_dagster_marks_what_is_new_and_what_changed(ui: RunningUI) -> None:
    assert reasons(ui, BRANCH) == {
        "numbers": [],
        "others": [],
        "total": [],
        "doubles": ["CODE_VERSION"],
        "halves": ["NEW"],
    }
    assert set(map(tuple, reasons(ui, "").values())) == {()}


def test_what_the_branch_reads_from_production_is_no_news_to_its_instance(ui: RunningUI) -> None:
    eventually(lambda: state(ui)["total"] is not None)
    told = state(ui)
    assert told.pop("halves") is None
    assert {str(text).partition(", ")[0] for text in told.values()} == {"Read from production"}
    assert {name for name, status in stale(ui).items() if status == "STALE"} == {"doubles"}
    assert runs(ui, BRANCH) == set()


def state(ui: RunningUI) -> dict[str, str | None]:
    """By asset what the branch's instance says of its last materialization."""
    nodes = ui.ask(STATE, BRANCH)["assetNodes"]
    events = {node["assetKey"]["path"][-1]: node["assetMaterializations"] for node in nodes}
    return {name: found[0]["description"] if found else None for name, found in events.items()}


def stale(ui: RunningUI) -> dict[str, str]:
    return {node["assetKey"]["path"][-1]: node["staleStatus"] for node in ui.ask(STATE, BRANCH)["assetNodes"]}


def test_the_page_lists_production_and_its_branches(ui: RunningUI) -> None:
    page = ui.get("/branches").text
    assert '<a href="/">production</a>' in page
    assert f'<a href="{BRANCH}/">new-engine</a>' in page
    assert "13 days left" in page


def test_each_ui_names_its_namespace_and_knows_its_path(ui: RunningUI) -> None:
    branch, own = ui.get(f"{BRANCH}/").text, ui.get("/").text
    assert 'data-headrace="namespace">branch/new-engine</a>' in branch
    assert f'"pathPrefix": "{BRANCH}"' in branch
    assert 'data-headrace="namespace">production</a>' in own
    assert '"pathPrefix": ""' in own


def test_nothing_runs_by_itself_on_a_branch(ui: RunningUI) -> None:
    [node] = ui.ask(AUTOMATIONS, BRANCH)["repositoriesOrError"]["nodes"]
    states = [sensor["sensorState"]["status"] for sensor in node["sensors"]]
    assert states
    assert set(states) == {"STOPPED"}


def test_the_daemon_of_a_branch_is_one_that_no_second_one_runs_beside(ui: RunningUI, repository: Path) -> None:
    ui.ask(RUNS, BRANCH)
    lock = repository / ".headrace" / "dagster" / "branch-new-engine" / "daemon.lock"
    eventually(lambda: lock.is_file() and bool(lock.read_text()))
    assert "branch-new-engine" in str(Path(f"/proc/{lock.read_text()}/cwd").readlink())


def test_a_click_computes_on_the_branch_with_its_code_and_leaves_production_alone(
    ui: RunningUI, repository: Path
) -> None:
    before = runs(ui)
    run = ui.materialize(["doubles", "total"], BRANCH)
    there = production(repository).within("branch/new-engine").versions("total")
    assert (there[0].namespace, there[0].provenance.run_id) == ("branch/new-engine", run)
    assert json.loads((repository / ".headrace" / "store" / there[0].files[0].key).read_text()) == {"total": 120}
    (only,) = production(repository).versions("total")
    assert only.namespace == "production"
    assert runs(ui) == before
    assert runs(ui, BRANCH) == {run}
    assert "flights/doubles" in ui.get("/branches/branch-new-engine/report").text


def test_who_is_idle_costs_no_process_and_wakes_again(ui: RunningUI) -> None:
    ui.ask(RUNS, BRANCH)
    assert processes(ui)
    eventually(lambda: not processes(ui))
    assert ">asleep<" in ui.get("/branches").text
    assert len(runs(ui, BRANCH)) == 1
    assert processes(ui)


def test_opening_and_closing_are_seen_without_a_restart(ui: RunningUI, repository: Path) -> None:
    assert ui.get("/branch/another/").status_code == 404
    assert f"{ui.address}/branch/another/" in headrace(repository, "branch", "open", "another")
    assert reasons(ui, "/branch/another")["halves"] == ["NEW"]
    told = json.loads(headrace(repository, "branch", "status", "another", "--json"))
    assert told["url"] == f"{ui.address}/branch/another/"
    headrace(repository, "branch", "close", "another")
    eventually(lambda: ui.get("/branch/another/").status_code == 404)
    home = repository / ".headrace" / "dagster"
    eventually(lambda: sorted(path.name for path in home.iterdir()) == ["branch-new-engine", "production"])
    assert "another" not in ui.get("/branches").text
