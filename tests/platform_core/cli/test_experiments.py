"""`headrace compare`, `leaderboard`, `search`, `tag`, `alias` and `card`, as a person types them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from platform_core import client
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import Provenance, Version
from platform_core.cli.main import headrace
from platform_core.errors import NotFoundError
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.store.local import LocalStore
from platform_core.store.values import Target, write_version
from tests.platform_core.drafts import TESS
from tests.platform_core.tracking.pictures import PNG


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_core.cli.experiments.console.width", 200)


@pytest.fixture
def train(catalog: Catalog, store: LocalStore) -> Any:
    def written(auc: float, namespace: Namespace = TESS, **parameters: object) -> Version:
        origin = Provenance(author="tess", git_commit="0123", parameters=parameters)
        target = Target(namespace, "shop/model", "", {"auc": auc, "loss": 1 - auc}, origin, {"ROC curve": PNG})
        (version,) = catalog.commit(namespace, [write_version(store, {"auc": auc}, target)])
        return version

    return written


def call(*arguments: str) -> Result:
    return CliRunner().invoke(headrace, arguments, catch_exceptions=False)


def answer(*arguments: str) -> Any:
    return json.loads(call(*arguments, "--json").output)


def test_versions_side_by_side_show_what_differs(train: Any) -> None:
    first, second = train(0.5, depth=2, kind="tree"), train(0.75, depth=4, kind="tree")
    told = call("compare", f"model@{first.id}", "model").output
    for part in (first.id, second.id, "param.depth", "0.75"):
        assert part in told
    assert "param.kind" not in told
    assert "param.kind" in call("compare", f"model@{first.id}", "model", "--all").output
    assert [row["param.depth"] for row in answer("compare", f"model@{first.id}", "model")] == [2, 4]


def test_a_leaderboard_puts_the_best_first(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = train(0.5, depth=2), train(0.75, depth=4), train(0.6, PRODUCTION, depth=4)
    assert [row["auc"] for row in answer("leaderboard", "model", "--by", "auc")] == [0.75, 0.6, 0.5]
    fitting = answer("leaderboard", "model", "--by", "loss", "--smallest", "-w", "param.depth=4", "-n", "1")
    assert [row["auc"] for row in fitting] == [0.75]
    monkeypatch.setattr("platform_core.cli.experiments.console.width", 40)
    assert first.id in call("leaderboard", "model", "--by", "auc").output  # in full, however narrow the terminal is
    lines = call("leaderboard", "model", "--by", "auc").output.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["0.75", "0.6", "0.5"]
    assert client.leaderboard("model", "auc")["auc"].to_list() == [0.75, 0.6, 0.5]


def test_a_leaderboard_by_what_nobody_logged_is_a_sentence(train: Any) -> None:
    train(0.5)
    with pytest.raises(NotFoundError, match="No version of model that fits has a number called 'roc'"):
        call("leaderboard", "model", "--by", "roc")
    with pytest.raises(NotFoundError, match=r"'auc' is no condition; try 'auc > 0\.7'"):
        call("search", "model", "--where", "auc")


def test_versions_are_found_by_what_was_said_later(train: Any) -> None:
    first, _ = train(0.5), train(0.75)
    assert "1 tag in transaction" in call("tag", f"model@{first.id}", "quality=good", "--why", "looked").output
    assert [row["version"] for row in answer("search", "model", "-w", "tag.quality = good")] == [first.id]
    assert "quality=good" in call("tag", f"model@{first.id}").output
    call("tag", f"model@{first.id}", "--remove", "quality")
    assert "No version of model fits" in call("search", "model", "-w", "tag.quality = good").output
    client.tag(f"model@{first.id}", quality="fine")
    assert client.search("model", where=["quality = fine"])["tag.quality"].to_list() == ["fine"]


def test_an_alias_stands_for_a_version_wherever_one_is_named(train: Any) -> None:
    first = train(0.5)
    train(0.75)
    call("alias", "set", f"champion=model@{first.id}", "challenger=model", "--why", "the first")
    assert answer("show", "model@champion")["id"] == first.id
    assert client.load("model@champion") == {"auc": 0.5}
    assert client.version("model@champion").id == first.id
    assert answer("diff", "model@champion", "model@champion")["identical"]
    assert [row["alias"] for row in answer("compare", "model@champion", "model@challenger")] == [
        "champion",
        "challenger",
    ]
    call("alias", "set", "champion=model@challenger", "challenger=model@champion")
    assert client.load("model@champion") == {"auc": 0.75}
    history = answer("alias", "list", "model", "--history")
    assert [(item["name"], item["why"]) for item in history[2:]] == [
        ("challenger", "the first"),
        ("champion", "the first"),
    ]
    assert "champion" in call("alias", "list", "model").output


def test_only_what_is_ones_own_can_be_taken_away(train: Any, catalog: Catalog) -> None:
    train(0.5)
    call("alias", "set", "champion=model")
    call("alias", "remove", "model", "champion")
    assert "No version of shop/model has a name" in call("alias", "list", "model").output
    with pytest.raises(NotFoundError, match="has no alias 'champion' of shop/model of its own"):
        call("alias", "remove", "model", "champion")


def test_a_card_is_shown_and_written_with_its_figures(train: Any, tmp_path: Path) -> None:
    train(0.5, depth=2)
    call("alias", "set", "champion=model", "--why", "it is the only one")
    assert "| alias | champion (" in call("card", "model", "--markdown").output
    assert "Parameters" in call("card", "model@champion").output
    call("card", "model", "--to", str(tmp_path / "card"))
    assert "![ROC curve](figure-1.png)" in (tmp_path / "card" / "card.md").read_text()
    assert (tmp_path / "card" / "figure-1.png").read_bytes() == PNG
