"""Every mutation of Dagster's schema, as everybody: what is not allowed changes nothing."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import pytest

from platform_core.access.mutations import GUARDS
from platform_core.access.rights import OF_TEAMS
from platform_core.access.schema import guarded_schema
from platform_core.catalog.opening import open_catalog
from platform_core.dagster_internals import EDITOR_PERMISSIONS
from platform_core.namespaces import Namespace
from platform_core.settings import current_settings
from tests.platform_core.access.calls import Things, arguments_of, document, made
from tests.platform_core.access.world import PEOPLE, World, world

SCHEMA = guarded_schema().graphql_schema
MUTATIONS = sorted(SCHEMA.mutation_type.fields)
# What a team may call for its own location; written down once more, so that a change of the table is seen here.
OF_A_TEAM = {
    *("launchRun", "launchPipelineExecution", "launchMultipleRuns", "launchRunReexecution"),
    *("launchPipelineReexecution", "terminateRun", "terminatePipelineExecution", "terminateRuns"),
    *("launchPartitionBackfill", "resumePartitionBackfill", "cancelPartitionBackfill", "reexecutePartitionBackfill"),
    *("scheduleDryRun", "sensorDryRun"),
}
NOT_IN_OPEN_SOURCE = {"setAppManagedComponent", "deleteAppManagedComponent"}
EVERYTHING = set(MUTATIONS) - NOT_IN_OPEN_SOURCE
NOTHING: set[str] = set()
MAY = {
    "production": {
        **{"nobody": NOTHING, "viewer": NOTHING, "other team": NOTHING, "owner": NOTHING},
        **{"team": OF_A_TEAM, "production": EVERYTHING, "admin": EVERYTHING},
    },
    "branch/better": {
        **{"nobody": NOTHING, "viewer": NOTHING, "other team": NOTHING, "team": NOTHING, "production": NOTHING},
        **{"owner": EVERYTHING, "admin": EVERYTHING},
    },
}


def contents(home: Path) -> str:
    """A hash of all that the instance keeps."""
    dumps = [_dump(path, _bytes(path)) for path in sorted(home.rglob("*.db"))]
    return hashlib.sha256("".join(dumps).encode()).hexdigest()


@lru_cache
def _dump(path: Path, _of: bytes) -> str:
    """Where no byte of the database and of its log changed, nothing of what it says did, and no dump needs be made."""
    with closing(sqlite3.connect(path)) as database:
        return hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()


def _bytes(path: Path) -> bytes:
    files = [path, path.with_name(f"{path.name}-wal")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.exists())).digest()


def is_refused(answer: dict) -> bool:
    codes = [error.get("extensions", {}).get("code") for error in answer.get("errors", ())]
    kinds = [found.get("__typename") for found in (answer.get("data") or {}).values() if isinstance(found, dict)]
    return "FORBIDDEN" in codes or "UnauthorizedError" in kinds


@pytest.fixture(params=MAY)
def place(request, tmp_path: Path) -> Iterator[tuple[str, World, Things]]:
    namespace = request.param
    if namespace != "production":
        open_catalog(current_settings().catalog).open_namespace(Namespace.parse(namespace), "tess")
    with world(namespace, tmp_path / "dagster") as made_world:
        yield namespace, made_world, asyncio.run(made(made_world))


def test_each_mutation_of_the_schema_has_a_guard_and_a_call_here():
    assert set(MUTATIONS) == set(GUARDS) == set(arguments_of(Things("", "", "", "", "")))


def test_each_guard_asks_for_a_permission_that_dagster_knows():
    assert {guard.permission for guard in GUARDS.values()} <= set(EDITOR_PERMISSIONS)
    assert set(EDITOR_PERMISSIONS) >= OF_TEAMS


def test_who_may_not_changes_nothing_by_any_mutation(place, tmp_path: Path):
    namespace, ui, things = place
    before = contents(tmp_path / "dagster")
    wrong = []
    for who in PEOPLE:
        for name in sorted(set(MUTATIONS) - MAY[namespace][who]):
            query, variables = document(SCHEMA, name), arguments_of(things)[name]
            answer = asyncio.run(ui.send("POST", "/graphql", who, json={"query": query, "variables": variables}))
            refused = answer.status_code == 401 if who == "nobody" else is_refused(answer.json())
            if not refused or contents(tmp_path / "dagster") != before:
                wrong.append((who, name, answer.text))
    assert wrong == []


def test_who_may_is_not_refused(place):
    namespace, ui, things = place
    wrong = []
    for who in ("team", "production") if namespace == "production" else ("owner",):
        for name in sorted(MAY[namespace][who]):
            answer = asyncio.run(ui.ask(who, document(SCHEMA, name), arguments_of(things)[name]))
            if is_refused(answer):
                wrong.append((who, name, answer))
    assert wrong == []
