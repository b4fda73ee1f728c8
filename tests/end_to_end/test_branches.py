"""A branch from its opening to its end: production is read, not written, until what was reviewed is promoted."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_core.settings import as_if_in
from tests.end_to_end.conftest import FLIGHTS, Headrace
from tests.end_to_end.small_repository import commit, edit, git, small_repository


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose production was built once."""
    if not FLIGHTS.is_file() or shutil.which("git") is None:
        pytest.skip("the environment of the location flights is not installed, or git is not")
    folder = small_repository(tmp_path_factory.mktemp("branches") / "repository")
    done = command(folder).within("production")("run", cwd=folder)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture
def repository(built: Path, tmp_path: Path) -> Path:
    """A copy of it, on the branch new-engine."""
    folder = Path(shutil.copytree(built, tmp_path / "repository", symlinks=True))
    git(folder, "switch", "--quiet", "--create", "new-engine")
    return folder


def command(folder: Path) -> Headrace:
    variables = {"HEADRACE_REPOSITORY": str(folder), "PYTHONPATH": str(folder)}
    return Headrace(folder / ".headrace", "user/ann").having(**variables)


def ask(folder: Path, *arguments: str, code: int = 0) -> str:
    done = command(folder)("branch", *arguments, cwd=folder)
    assert done.returncode == code, done.stdout
    return done.stdout


def asked(folder: Path, *arguments: str) -> Any:
    text = ask(folder, *arguments, "--json")
    return json.loads(text[min(i for i in (text.find("{"), text.find("[")) if i >= 0) :])


@contextmanager
def without_environment(folder: Path) -> Iterator[None]:
    """No process of the location can be started meanwhile, least of all one of a step."""
    venv = folder / "code_locations" / "flights" / ".venv"
    target = venv.readlink()
    venv.unlink()
    yield
    venv.symlink_to(target)


def total(folder: Path) -> int:
    """The value that production shows."""
    (version, *_) = command(folder).within("production").versions("total")
    return int(json.loads((folder / ".headrace" / "store" / version.files[0].key).read_text())["total"])


def events(folder: Path, asset: str) -> list[dg.AssetMaterialization]:
    """What production's Dagster instance knows of an asset, newest first."""
    with (
        as_if_in({"DAGSTER_HOME": str(folder / ".headrace" / "dagster" / "production")}),
        dg.DagsterInstance.get() as it,
    ):
        records = it.fetch_materializations(dg.AssetKey(["flights", asset]), limit=10).records
    return [record.asset_materialization for record in records if record.asset_materialization]


def test_a_change_goes_from_the_branch_into_production(repository: Path) -> None:
    assert "branch/new-engine shows production as of transaction" in ask(repository, "open")
    edit(repository, "FACTOR = 2", "FACTOR = 20")
    commit(repository, "Ten times as much")
    planned = asked(repository, "plan")
    assert planned["changed"] == {"flights/doubles": ["code"]}
    assert planned["to_compute"] == {"flights/doubles": [""], "flights/total": [""]}

    told = ask(repository, "run")
    assert "flights/doubles" in told
    assert "flights/others" not in told
    assert "Nothing is left to compute" in ask(repository, "run")
    assert total(repository) == 12
    assert len(events(repository, "total")) == 1

    compared = {one["asset"]: one for one in asked(repository, "diff")}
    assert compared["flights/doubles"]["changes"]["double: max"] == [6, 60]
    assert "| double: max | 6 | 60 |" in ask(repository, "diff", "--markdown")

    git(repository, "switch", "--quiet", "main")
    assert "was not computed by the code" in ask(repository, "promote", "new-engine", code=1)
    git(repository, "merge", "--quiet", "new-engine")
    with without_environment(repository):  # its code was loaded before, and is not again
        assert "2 versions of branch/new-engine are production's" in ask(repository, "promote", "new-engine")
    assert total(repository) == 120
    (newest, *_) = events(repository, "total")
    assert newest.description == "Promoted out of branch/new-engine."
    assert len(events(repository, "total")) == 2

    assert "has nothing that production does not show already" in ask(repository, "promote", "new-engine")
    assert len(events(repository, "total")) == 2
    ask(repository, "close", "new-engine")
    assert total(repository) == 120
    assert not (repository / ".headrace/store/branch/new-engine").exists() or not list(
        (repository / ".headrace/store/branch/new-engine").rglob("*.*")
    )
    assert not (repository / ".headrace/dagster/branch-new-engine").exists()
    assert "was closed already" in ask(repository, "close", "new-engine", code=2)


def test_what_production_went_on_from_is_computed_again_there(repository: Path) -> None:
    production = command(repository).within("production")
    ask(repository, "open")
    edit(repository, "FACTOR = 2", "FACTOR = 20")
    ask(repository, "run")
    assert production("run", "numbers", cwd=repository).returncode == 0
    refused = ask(repository, "promote", code=1)
    assert "flights/doubles was computed from flights/numbers as nobody shows it any more" in refused
    assert "headrace branch promote --rebuild" in refused
    told = ask(repository, "promote", "--rebuild")
    assert "flights/doubles is computed again in production, which went on.\nflights/total is" in told
    assert total(repository) == 120
    assert "has nothing that production does not show already" in ask(repository, "promote")
    (newest, *_) = production.versions("total")
    assert production("rollback", "--to", str(newest.transaction - 2), "--yes", cwd=repository).returncode == 0
    assert total(repository) == 12


def test_a_branch_that_is_not_checked_out_has_its_code_in_a_worktree(repository: Path) -> None:
    edit(repository, "FACTOR = 2", "FACTOR = 3")
    commit(repository, "Half as much again")
    git(repository, "switch", "--quiet", "main")
    ask(repository, "open", "new-engine")
    status = asked(repository, "status", "new-engine")
    assert Path(status["code"]) != repository
    assert asked(repository, "plan", "new-engine")["changed"] == {"flights/doubles": ["code"]}
    git(repository, "switch", "--quiet", "new-engine")
    edit(repository, "return numbers", "return numbers.head(2)")
    commit(repository, "Another change")
    assert set(asked(repository, "plan", "new-engine")["changed"]) == {"flights/doubles", "flights/others"}
    ask(repository, "close", "new-engine")
    assert not Path(status["code"]).exists()


def test_what_is_promoted_needs_leave(repository: Path) -> None:
    ask(repository, "open")
    edit(repository, '"double"].sum', '"double"].max')
    assert "1 asset still to compute" in ask(repository, "check", code=1)
    ask(repository, "run")
    assert "can be promoted as it is" in ask(repository, "check")
    assert "It can be promoted as it is.\n\n| asset | change | to compute |" in ask(repository, "comment")
    token = ask(repository, "token").strip()
    (repository / ".headrace/keys/promotion.pem").unlink()
    refused = ask(repository, "promote", code=1)
    assert "Only a holder of production's key can promote" in refused
    assert total(repository) == 12
    ask(repository, "promote", "--token", token)
    assert total(repository) == 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("status", "nonsense"), "There is no branch deployment 'nonsense'"),
        (("open", "nonsense"), "git knows no branch 'nonsense'"),
        (("promote",), "There is no branch deployment"),
        (("comment", "--pull-request", "1"), "There is no branch deployment"),
    ],
)
def test_bad_input_is_one_sentence(repository: Path, arguments: tuple[str, ...], sentence: str) -> None:
    told = ask(repository, *arguments, code=2)
    assert sentence in told
    assert "Traceback" not in told


def test_code_that_is_no_longer_checked_out_is_not_taken_for_another(repository: Path) -> None:
    ask(repository, "open")
    git(repository, "switch", "--quiet", "main")
    assert "has main checked out; switch back to new-engine" in ask(repository, "plan", "new-engine", code=2)
    ask(repository, "open", "new-engine", "--again")
    assert asked(repository, "plan", "new-engine")["changed"] == {}
