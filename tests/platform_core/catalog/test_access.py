"""What a namespace may not write, the database itself refuses, whatever SQL is sent to it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from platform_core.catalog.access import grants, revocation, role_of, s3_policy, s3_policy_of_branches
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.catalog.schema import prepare
from platform_core.catalog.sweep_values import Sweep
from platform_core.catalog.values import AliasMove, Expectation, Move, Version
from platform_core.errors import CatalogError, SettingsError
from platform_core.namespaces import PRODUCTION, Namespace
from tests.platform_core.drafts import BRANCH, TESS, draft
from tests.platform_core.postgres import Postgres


@dataclass
class Platform:
    """One catalog as each role sees it. The administrator owns the tables and is not limited."""

    server: Postgres
    url: str
    version: Version

    def catalog(self, namespace: Namespace) -> Catalog:
        return Catalog(open_engine(self.server.login(self.url, role_of(namespace))))

    def execute(self, namespace: Namespace, *statements: str) -> None:
        engine = create_engine(self.server.login(self.url, role_of(namespace)))
        try:
            with engine.begin() as connection:
                for statement in statements:
                    connection.execute(text(statement))
        finally:
            engine.dispose()


@pytest.fixture
def platform(postgres: Postgres) -> Iterator[Platform]:
    url = postgres.new_catalog()
    catalog = Catalog(open_engine(url))
    (version,) = catalog.commit(PRODUCTION, [draft("a", namespace=PRODUCTION)])
    schema = make_url(url).query["options"].removeprefix("-csearch_path=")  # type: ignore[union-attr]
    spaces = (PRODUCTION, BRANCH, TESS)
    for namespace in spaces * 2:  # a script may be run again
        postgres.run(grants(namespace, schema))
    yield Platform(postgres, url, version)
    postgres.run(f"DROP SCHEMA {schema} CASCADE", *(revocation(namespace) for namespace in spaces))


def test_a_role_reads_production_and_commits_to_its_own_namespace(platform: Platform) -> None:
    branch = platform.catalog(BRANCH)
    opened = branch.open_namespace(BRANCH)
    assert branch.resolve(BRANCH, "a")[""].version == platform.version
    (ours,) = branch.commit(BRANCH, [draft("a", namespace=BRANCH)])
    assert branch.resolve(BRANCH, "a")[""].version == ours
    branch.move_refs(BRANCH, [Move("a", "", None)], kind="rollback")
    branch.move_aliases(BRANCH, [AliasMove("a", "champion", ours.id)])
    branch.tag(BRANCH, platform.version, {"quality": "good"})
    assert branch.as_of_run(BRANCH, "r").transaction == opened.since + 4
    branch.sync_namespace(BRANCH)
    assert branch.close_namespace(BRANCH).since == opened.since + 6
    assert branch.open_namespace(BRANCH).closed_at is None


def test_a_role_cannot_write_to_production_with_the_library(platform: Platform) -> None:
    with pytest.raises(CatalogError, match=r"does not let this role do that \(new row violates row-level security"):
        platform.catalog(BRANCH).commit(PRODUCTION, [draft("a", namespace=PRODUCTION)])
    assert platform.catalog(PRODUCTION).resolve(PRODUCTION, "a")[""].version == platform.version


def test_a_role_cannot_give_up_what_is_productions(platform: Platform) -> None:
    production = platform.catalog(PRODUCTION)
    production.commit(PRODUCTION, [draft("a", namespace=PRODUCTION)])
    assert platform.catalog(BRANCH).forget([platform.version.id]) == []
    assert production.forget([platform.version.id]) == [platform.version.id]


OWN_TRANSACTION = (
    "INSERT INTO namespaces (name, owner, created_at) VALUES ('branch/new-engine', 'me', now())",
    "INSERT INTO transactions (namespace, kind, author, message, committed_at)"
    " VALUES ('branch/new-engine', 'write', 'me', '', now())",
)
OTHERS = {
    "a ref": "INSERT INTO refs VALUES ('a', 'production', '', 1, NULL)",
    "a ref in its own transaction": "INSERT INTO refs VALUES ('a', 'production', '', 2, NULL)",
    "a version": "INSERT INTO versions (id, namespace, asset, partition, format, files, data_version, schema, metadata,"
    " provenance, created_at, transaction)"
    " VALUES ('x', 'production', 'a', '', 'parquet', '[]', 'd', '[]', '{}', '{}', now(), 2)",
    "a transaction": "INSERT INTO transactions (namespace, kind, author, message, committed_at)"
    " VALUES ('production', 'write', 'me', '', now())",
    "a pin": "INSERT INTO pins VALUES ('production', 2, NULL, 2)",
    "a pin of somebody else": "INSERT INTO pins VALUES ('user/tess', 2, NULL, 2)",
    "an alias": "INSERT INTO aliases (asset, name, namespace, transaction) VALUES ('a', 'champion', 'production', 1)",
    "a tag in its own transaction": "INSERT INTO tags (asset, version, name, namespace, transaction, value)"
    " SELECT 'a', id, 'quality', 'production', 2, 'bad' FROM versions",
    "the start of a run": "INSERT INTO run_starts VALUES ('production', 'r', 0)",
    "another start": "UPDATE run_starts SET transaction = 0",
    "a sweep": "INSERT INTO sweeps (id, namespace, transaction, asset, partition, request)"
    " VALUES ('s', 'production', 2, 'a', '', '{}')",
    "less trials": "DELETE FROM trials",
    "less aliases": "DELETE FROM aliases",
    "an old tag": "UPDATE tags SET value = 'bad'",
    "a namespace": "INSERT INTO namespaces (name, owner, created_at) VALUES ('user/somebody', 'me', now())",
    "a ref into the past of another": "INSERT INTO refs VALUES ('a', 'branch/new-engine', '', 1, NULL)",
    "a number": "INSERT INTO transactions (number, namespace, kind, author, message, committed_at)"
    " VALUES (1000, 'branch/new-engine', 'write', 'me', '', now())",
    "an old ref": "UPDATE refs SET version = NULL",
    "an old version": "UPDATE versions SET files = '[]'",
    "less refs": "DELETE FROM refs",
    "less versions": "DELETE FROM versions",
    "less transactions": "DELETE FROM transactions",
    "no refs": "TRUNCATE refs",
    "no table": "DROP TABLE refs",
    "no policies": "ALTER TABLE refs DISABLE ROW LEVEL SECURITY",
    "rights": 'GRANT "headrace_production" TO "headrace_branch-new-engine"',
    "somebody else": 'SET ROLE "headrace_production"',
    "the numbering": "CREATE OR REPLACE FUNCTION number_transaction() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_role_cannot_write_what_is_not_its_own_with_plain_sql(platform: Platform, what: str) -> None:
    with pytest.raises(ProgrammingError, match=r"row-level security|permission denied|must be owner"):
        platform.execute(BRANCH, *OWN_TRANSACTION, OTHERS[what])
    production = platform.catalog(PRODUCTION)
    assert [item.version for item in production.current(PRODUCTION)] == [platform.version]
    assert [done.number for done in production.transactions(PRODUCTION)] == [1]


def test_what_a_role_may_not_change_it_does_not_find(platform: Platform) -> None:
    """An UPDATE of permitted columns reaches no row of another namespace."""
    platform.execute(BRANCH, "UPDATE versions SET forgotten_at = now()", "UPDATE namespaces SET closed_at = now()")
    production = platform.catalog(PRODUCTION)
    assert production.version(platform.version.id).forgotten_at is None
    assert production.namespace(PRODUCTION).closed_at is None


def test_a_role_cannot_mislead_the_numbering_with_a_table_of_its_own(platform: Platform) -> None:
    platform.execute(
        BRANCH, "CREATE TEMP TABLE transactions_2 (number bigint)", *OWN_TRANSACTION[:1],
        "ALTER TABLE transactions_2 RENAME TO transactions", "INSERT INTO pg_temp.transactions VALUES (1000000)",
        f"INSERT INTO {_schema(platform)}.transactions (namespace, kind, author, message, committed_at)"
        " VALUES ('branch/new-engine', 'write', 'me', '', now())",
    )  # fmt: skip
    (done,) = platform.catalog(BRANCH).transactions(BRANCH)
    assert done.number == 2


def _schema(platform: Platform) -> str:
    return str(make_url(platform.url).query["options"]).removeprefix("-csearch_path=")


def test_productions_role_promotes_what_a_branch_wrote(platform: Platform) -> None:
    (reviewed,) = platform.catalog(BRANCH).commit(BRANCH, [draft("a", namespace=BRANCH)])
    production = platform.catalog(PRODUCTION)
    read = Expectation(PRODUCTION, "a", "", platform.version.id)
    production.move_refs(PRODUCTION, [Move("a", "", reviewed.id)], kind="promote", expects=[read])
    assert production.resolve(PRODUCTION, "a")[""].version == reviewed


def test_a_personal_role_may_write_to_throwaways_beside_its_namespace_alone(platform: Platform) -> None:
    beside = Namespace.parse(f"{TESS.throwaways}0a1b2c")
    tess = platform.catalog(TESS)
    tess.open_namespace(beside)
    tess.move_refs(beside, [Move("a", "", platform.version.id)], kind="reproduce")
    tess.commit(beside, [draft("a", namespace=beside)])
    tess.close_namespace(beside)
    for stranger in ("user/tessa--reproduce-0a1b2c", "user/tes--reproduce-0a1b2c", "branch/tess--reproduce-0a1b2c"):
        with pytest.raises(CatalogError, match="row-level security"):
            tess.open_namespace(Namespace.parse(stranger))
    with pytest.raises(CatalogError, match="row-level security"):
        platform.catalog(BRANCH).open_namespace(Namespace.parse("user/new-engine--reproduce-0a1b2c"))


def test_a_long_name_has_throwaways_too(platform: Platform, postgres: Postgres) -> None:
    long = Namespace("user", "tess-of-the-very-long-name--0123abcd")
    postgres.run(grants(long, make_url(platform.url).query["options"].removeprefix("-csearch_path=")))  # type: ignore[union-attr]
    beside = Namespace.parse(f"{long.throwaways}0a1b2c")
    assert platform.catalog(long).open_namespace(beside).name == "user/tess-of-the-very-long--reproduce-0a1b2c"
    postgres.run(revocation(long))


def test_a_role_that_was_taken_away_leaves_its_namespace_to_be_read(platform: Platform) -> None:
    platform.catalog(TESS).commit(TESS, [draft("b")])
    platform.server.run(revocation(TESS))
    with pytest.raises(CatalogError, match=r'role "headrace_user-tess" does not exist'):
        platform.catalog(TESS)
    assert platform.catalog(PRODUCTION).resolve(TESS, "b")[""].shown_by == "user/tess"


def test_roles_that_there_are_need_not_be_granted_anew_what_an_upgrade_brings(platform: Platform) -> None:
    administrator = create_engine(platform.url)
    with administrator.begin() as connection:
        connection.execute(text("DROP TABLE run_starts, trials, sweeps"))
        connection.execute(text("UPDATE catalog_revision SET version_num = '0004'"))
    prepare(administrator)
    administrator.dispose()
    branch = platform.catalog(BRANCH)
    assert branch.as_of_run(BRANCH, "r").transaction == 1
    assert branch.begin_sweep(BRANCH, Sweep("s-1", str(BRANCH), "t/m", "", {}))
    with pytest.raises(CatalogError, match="row-level security"):
        branch.as_of_run(PRODUCTION, "r")
    with pytest.raises(CatalogError, match="row-level security"):
        branch.begin_sweep(PRODUCTION, Sweep("s-2", str(PRODUCTION), "t/m", "", {}))


def test_a_role_without_grants_is_told_what_it_needs(platform: Platform) -> None:
    platform.server.run('CREATE ROLE "headrace_user-new" LOGIN')
    with pytest.raises(CatalogError, match=r"does not let this role .*`headrace namespace grants NAMESPACE`"):
        platform.catalog(Namespace("user", "new"))
    platform.server.run('DROP ROLE "headrace_user-new"')


def allowed(policy: dict[str, Any], action: str, resource: str) -> bool:
    """Decides as S3 does: one statement must allow it, and none may deny it."""

    def matches(patterns: str | list[str]) -> bool:
        return any(fnmatch(resource, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))

    def applies(statement: dict[str, Any]) -> bool:
        named = matches(statement.get("Resource", "*"))
        spared = "NotResource" in statement and matches(statement["NotResource"])
        return action in statement["Action"] and named and not spared

    effects = {statement["Effect"] for statement in policy["Statement"] if applies(statement)}
    return effects == {"Allow"}


@pytest.mark.parametrize("prefix", ["", "/team/data"])
def test_on_s3_one_reads_everything_and_writes_below_ones_own_prefix(prefix: str) -> None:
    policy = s3_policy(BRANCH, f"s3://facts{prefix}")
    root = f"arn:aws:s3:::facts{prefix}"
    for owner, may_write in (("branch/new-engine", True), ("branch/new-engine-2", False), ("production", False)):
        file = f"{root}/{owner}/a/20260101/part-0.parquet"
        assert allowed(policy, "s3:GetObject", file)
        assert allowed(policy, "s3:PutObject", file) == allowed(policy, "s3:DeleteObject", file) == may_write
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::others/file")
    assert len(json.dumps(policy)) < 2048  # what IAM takes of a user's policy


def test_on_s3_one_writes_to_throwaways_beside_ones_own_prefix() -> None:
    policy = s3_policy(TESS, "s3://facts")
    for owner, may_write in (
        (f"{TESS.throwaways}0a1b2c", True),
        ("user/tess", True),
        ("user/tessa--reproduce-0a1b2c", False),
        ("user/tessa", False),
    ):
        file = f"arn:aws:s3:::facts/{owner}/a/20260101/part-0.parquet"
        assert allowed(policy, "s3:PutObject", file) == allowed(policy, "s3:DeleteObject", file) == may_write
    assert len(json.dumps(policy)) < 2048  # what IAM takes of a user's policy


@pytest.mark.parametrize("folder", ["s3://facts/compute/flights", "s3://scratch/flights/"])
def test_on_s3_a_run_worker_has_a_folder_of_its_own_besides(folder: str) -> None:
    policy = s3_policy(BRANCH, "s3://facts/store", folders=[folder])
    own = f"arn:aws:s3:::{folder.removeprefix('s3://').rstrip('/')}"
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert allowed(policy, action, f"{own}/claims/a")
        assert not allowed(policy, action, f"{own}-2/claims/a")
        assert allowed(policy, action, "arn:aws:s3:::facts/store/branch/new-engine/a")
    assert not allowed(policy, "s3:PutObject", "arn:aws:s3:::facts/store/production/a")


def test_on_s3_who_computes_branches_writes_to_all_of_them_and_to_nothing_else() -> None:
    policy = s3_policy_of_branches("s3://facts/store")
    root = "arn:aws:s3:::facts/store"
    assert allowed(policy, "s3:PutObject", f"{root}/branch/new-engine/a")
    assert allowed(policy, "s3:GetObject", f"{root}/production/a")
    for other in ("production/a", "user/tess/a", "branches/a"):
        assert not allowed(policy, "s3:PutObject", f"{root}/{other}")


def test_a_policy_for_the_bucket_names_whom_it_is_for() -> None:
    arn = "arn:aws:iam::123456789012:role/branch"
    policy = s3_policy(BRANCH, "s3://facts", arn)
    assert {statement["Principal"]["AWS"] for statement in policy["Statement"]} == {arn}


def test_for_a_folder_there_is_no_policy() -> None:
    with pytest.raises(SettingsError, match="/data is not on S3"):
        s3_policy(BRANCH, "/data")


def test_the_names_of_roles_fit_into_postgresql() -> None:
    names = [Namespace("branch", "x" * 40), Namespace("user", "x" * 40), PRODUCTION]
    assert len({role_of(name) for name in names}) == 3
    assert max(len(role_of(name)) for name in names) <= 63
