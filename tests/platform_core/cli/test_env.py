"""What the command tells of environments."""

import json

import pytest
from click.testing import CliRunner

from platform_core.cli.main import headrace
from platform_core.environments.environment import environment_of
from platform_core.environments.venvs import all_venvs, venv_folder
from platform_core.errors import FrozenError, NotFoundError
from tests.platform_core.environments.support.toys import Repository


def told(*arguments: str) -> str:
    result = CliRunner().invoke(headrace, ["env", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_own_environments_and_those_on_demand_are_listed(repository: Repository) -> None:
    repository.add("toys", "toy==1.0", extras='train = ["kit"]')
    assert [row["used"] for row in json.loads(told("list", "--json"))] == ["not installed"]
    repository.sync("toys")
    told("make", "toys", "--extra", "train")
    own, train = json.loads(told("list", "--json"))
    assert (own["environment"], own["used"]) == (str(environment_of("toys")), "as locked")
    assert (train["environment"], train["packages"]) == (str(environment_of("toys", ("train",))), 2)
    repository.add("toys", "toy==2.0", extras='train = ["kit"]')
    assert json.loads(told("list", "--json"))[0]["used"] == "not as locked"
    assert "toys+train" in told("list").replace("\n", "")


def test_the_interpreter_is_what_make_prints(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    assert told("make", "toys") == f"{venv_folder(environment_of('toys'))}/bin/python\n"


def test_an_unknown_location_or_extra_is_refused(repository: Repository) -> None:
    repository.add("toys")
    with pytest.raises(NotFoundError, match=r"no location 'tois'\. Did you mean toys"):
        told("make", "tois")
    with pytest.raises(FrozenError, match="no extra 'x'"):
        told("make", "toys", "--extra", "x")


def test_prune_shows_first_and_removes_what_was_not_used(repository: Repository) -> None:
    repository.add("toys", "toy==1.0")
    told("make", "toys")
    assert "There is nothing to remove." in told("prune")
    assert "1 environment would be removed" in told("prune", "--days", "0")
    assert len(all_venvs()) == 1
    assert "1 environment removed" in told("prune", "--days", "0", "--yes")
    assert all_venvs() == []
