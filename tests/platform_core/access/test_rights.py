"""Who may do what, without a server."""

import pytest

from platform_core.access.identity import Identity, is_role
from platform_core.access.ownership import deployment_of
from platform_core.access.rights import NOBODY, OF_TEAMS, Deployment, Rights
from platform_core.catalog.catalog import Catalog
from platform_core.namespaces import PRODUCTION, Namespace

TEAMS = {"flights": "team:flight-operations", "airports": "team:airport-operations"}
FINN = Identity("finn", frozenset({"team:flight-operations"}))


def rights(namespace: str, who: Identity | None, owner: str = "tess") -> Rights:
    return Rights(Deployment(Namespace.parse(namespace), owner, TEAMS), who)


@pytest.mark.parametrize("permission", sorted(OF_TEAMS))
def test_a_team_computes_what_is_its_own(permission: str):
    assert rights("production", FINN).allow(permission, "flights")
    assert not rights("production", FINN).allow(permission, "airports")
    assert not rights("production", FINN).allow(permission, "nowhere")
    assert not rights("production", FINN).allow(permission, None)


@pytest.mark.parametrize("permission", ["start_schedule", "wipe_assets", "reload_repository_location", "made up"])
def test_a_team_changes_nothing_else_in_production(permission: str):
    assert not rights("production", FINN).allow(permission, "flights")


def test_a_location_without_an_owner_is_no_teams():
    nameless = Deployment(PRODUCTION, "", {"flights": ""})
    assert not Rights(nameless, Identity("finn", frozenset({""}))).allow("launch_pipeline_execution", "elsewhere")
    assert not Rights(nameless, Identity("finn", frozenset({"team:"}))).allow("launch_pipeline_execution", "flights")


def test_a_branch_is_its_owners_whatever_roles_others_have():
    assert rights("branch/x", Identity("tess")).everywhere
    for who in (FINN, Identity("piet", frozenset({"production"})), None):
        assert not rights("branch/x", who).allow("launch_pipeline_execution", "flights")


def test_a_personal_namespace_is_its_users_before_it_was_written_to():
    assert rights("user/finn", FINN, owner="").everywhere
    assert not rights("user/tess", FINN, owner="").everywhere


def test_nobody_may_do_anything():
    assert not NOBODY.everywhere
    assert not NOBODY.allow("launch_pipeline_execution", "flights")


def test_a_refusal_says_who_may():
    assert "team:flight-operations" in rights("production", None).reason("launch_pipeline_execution", "flights")
    assert "role production" in rights("production", FINN).reason("wipe_assets", "flights")
    assert "tess" in rights("branch/x", FINN).reason("wipe_assets", "flights")


def test_roles_are_of_three_kinds():
    assert [is_role(text) for text in ("admin", "production", "team:x", "team:", "root", "")] == [True] * 3 + [
        False
    ] * 3


def test_owners_come_from_the_catalog_and_the_locations(catalog: Catalog):
    catalog.open_namespace(Namespace.parse("branch/mine"), "tess")
    found = deployment_of(Namespace.parse("branch/mine"))
    assert found.owner == "tess"
    assert found.teams.items() >= TEAMS.items()


def test_a_branch_that_is_closed_is_nobodys(catalog: Catalog):
    catalog.open_namespace(Namespace.parse("branch/over"), "tess")
    catalog.close_namespace(Namespace.parse("branch/over"))
    assert deployment_of(Namespace.parse("branch/over")).owner == ""
    assert deployment_of(Namespace.parse("branch/never")).owner == ""
