"""What the command tells of namespaces."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from platform_core.catalog.catalog import Catalog
from platform_core.cli.main import headrace
from platform_core.errors import NamespaceError, SettingsError
from platform_core.namespaces import PRODUCTION
from tests.platform_core.drafts import BRANCH, TESS, draft


def told(*arguments: str) -> str:
    result = CliRunner().invoke(headrace, ["namespace", *arguments])
    if result.exception:
        raise result.exception
    return result.output


def as_json(*arguments: str) -> Any:
    return json.loads(told(*arguments, "--json"))


@pytest.fixture(autouse=True)
def spaces(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Production with two assets, a branch pinned to it with some partitions of its own, and a closed one."""
    monkeypatch.setattr("platform_core.cli.namespace.console.width", 160)
    catalog.commit(PRODUCTION, [draft("t/a", namespace=PRODUCTION, id="theirs"), draft("t/b", "1", PRODUCTION)])
    catalog.open_namespace(BRANCH, owner="ada")
    catalog.commit(BRANCH, [draft("t/a", namespace=BRANCH, id="ours")])
    catalog.commit(BRANCH, [draft("t/b", key, BRANCH) for key in ("1", "2")])
    catalog.open_namespace(TESS, owner="tess", pinned=False)


def test_all_namespaces_are_listed_with_what_they_read_through_to() -> None:
    branch, production, user = as_json("list")
    assert [branch["name"], production["name"], user["name"]] == ["branch/new-engine", "production", "user/tess"]
    assert (branch["owner"], branch["parent"], branch["pin"]) == ("ada", "production", 2)
    assert (user["owner"], user["pin"], user["last_write"]) == ("tess", None, None)


def test_the_list_marks_the_namespace_that_is_written_to() -> None:
    lines = {line.split()[0]: line for line in told("list").splitlines()}
    assert "user/tess *" in lines["user/tess"]
    assert "production as of transaction 2" in lines["branch/new-engine"]
    assert "*" not in lines["branch/new-engine"] + lines["production"]


def test_closed_namespaces_are_listed_when_asked_for(catalog: Catalog) -> None:
    catalog.close_namespace(BRANCH)
    assert [record["name"] for record in as_json("list")] == ["production", "user/tess"]
    assert "closed 20" in told("list", "--closed")


def test_a_namespace_is_shown_with_what_it_has_of_its_own() -> None:
    text = told("show", "branch/new-engine")
    assert "3 refs of its own" in text
    assert ["t/a", "ours", "3"] in [line.split() for line in text.splitlines()]
    assert ["t/b", "2", "partitions", "4"] in [line.split() for line in text.splitlines()]


def test_as_json_every_ref_is_given() -> None:
    refs = as_json("show", "branch/new-engine")["refs"]
    assert [(ref["asset"], ref["partition"]) for ref in refs] == [("t/a", ""), ("t/b", "1"), ("t/b", "2")]


def test_without_a_name_the_namespace_of_this_process_is_shown() -> None:
    assert as_json("show")["name"] == "user/tess"
    assert "0 refs of its own" in told("show")


def test_a_namespace_that_nobody_made_is_a_sentence() -> None:
    with pytest.raises(NamespaceError, match="There is no namespace branch/x; `headrace namespace list` shows"):
        told("show", "branch/x")


def test_the_sql_of_a_namespace_names_its_role_and_the_schema() -> None:
    sql = told("grants", "branch/new-engine", "--schema", "catalog")
    assert sql.startswith('SET search_path = "catalog";')
    assert 'GRANT headrace_member TO "headrace_branch-new-engine";' in sql


def test_the_policy_of_a_namespace_is_for_the_store_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="is not on S3"):
        told("grants", "branch/new-engine", "--s3")
    monkeypatch.setenv("HEADRACE_STORE", "s3://facts/team")
    policy = json.loads(told("grants", "branch/new-engine", "--s3", "--principal", "arn:aws:iam::1:user/ci"))
    assert policy["Statement"][2]["Resource"] == ["arn:aws:s3:::facts/team/branch/new-engine/*"]
    assert policy["Statement"][2]["Principal"] == {"AWS": "arn:aws:iam::1:user/ci"}
