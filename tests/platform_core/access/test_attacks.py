"""Ways around the guards that people have found in other places, and some of Dagster's own."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from platform_core.orchestrator.places import places_of_instigator
from tests.platform_core.access.calls import JOB, MONTHLY, RUN, Things, arguments_of, made
from tests.platform_core.access.test_mutations import contents, is_refused
from tests.platform_core.access.world import World, world

LAUNCH = "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename } }"
PAUSE = "mutation { setAutoMaterializePaused(paused: true) }"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Things, Path]]:
    home = tmp_path_factory.mktemp("dagster")
    with world("production", home) as ui:
        yield ui, asyncio.run(made(ui)), home


@pytest.fixture
def ui(place) -> Iterator[World]:
    """A deployment that is the same afterwards."""
    before = contents(place[2])
    yield place[0]
    assert contents(place[2]) == before


def post(ui: World, who: str, body: Any, **options: Any):
    return asyncio.run(ui.send("POST", "/graphql", who, json=body, **options))


@pytest.mark.parametrize(
    "query",
    [
        "mutation { harmless: setAutoMaterializePaused(paused: true) again: setAutoMaterializePaused(paused: true) }",
        "mutation { ...f } fragment f on Mutation { setAutoMaterializePaused(paused: true) }",
        "mutation { ... on Mutation { ... { setAutoMaterializePaused(paused: true) } } }",
        "mutation($b: Boolean = true) { setAutoMaterializePaused(paused: $b) @include(if: $b) @skip(if: false) }",
        "# query\nmutation query($p: Boolean = true) { query: setAutoMaterializePaused(paused: $p) }",
        "mutation { __typename setAutoMaterializePaused(paused: true) setNuxSeen }",
    ],
)
def test_no_spelling_of_a_query_hides_a_mutation(ui: World, query: str):
    answer = post(ui, "team", {"query": query}).json()
    assert is_refused(answer), answer
    assert answer["data"] is None


def test_an_operation_is_judged_that_is_chosen_by_name(ui: World):
    query = f"query safe {{ version }} {PAUSE.replace('mutation', 'mutation evil')}"
    assert is_refused(post(ui, "viewer", {"query": query, "operationName": "evil"}).json())
    assert "data" in post(ui, "viewer", {"query": query, "operationName": "safe"}).json()


@pytest.mark.parametrize(
    "body",
    [
        [{"query": PAUSE}, {"query": PAUSE}],
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"id": "saved", "doc_id": "1"},
        {"query": None, "mutation": PAUSE},
        {"query": {"query": PAUSE}},
        {"query": PAUSE + "}"},
        {"query": "mutation { setAutoMaterializePaused(paused: true, user: \"admin\") }"},
        {"query": "query { setAutoMaterializePaused(paused: true) }"},
        {"query": "subscription { setAutoMaterializePaused(paused: true) }"},
        "mutation",
        7,
    ],
)  # fmt: skip
def test_batches_persisted_and_malformed_queries_do_nothing(ui: World, body: Any):
    assert post(ui, "viewer", body).status_code in (400, 500)


def test_a_deeply_nested_query_does_nothing_but_fail(ui: World):
    query = "mutation " + "{ ... on Mutation " * 60 + "{ setAutoMaterializePaused(paused: true) }" + "}" * 60
    assert is_refused(post(ui, "viewer", {"query": query}).json())


@pytest.mark.parametrize("who", ["team", "production", "admin"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("GET", {"params": {"query": PAUSE}}),
        ("POST", {"params": {"query": PAUSE}}),
        ("POST", {"params": {"query": PAUSE}, "headers": {"content-type": "text/plain"}}),
        ("POST", {"params": {"query": PAUSE}, "data": {"x": "application/json"}}),
    ],
)
def test_no_link_picture_or_form_of_another_site_changes_anything(ui: World, who: str, method: str, options: dict):
    assert is_refused(asyncio.run(ui.send(method, "/graphql", who, **options)).json())


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://ui.test.evil.test", "http://ui.test:81"])
def test_pages_of_another_site_are_refused(ui: World, origin: str):
    assert post(ui, "admin", {"query": PAUSE}, headers={"origin": origin}).status_code == 401


def test_pages_of_the_ui_itself_are_let_in(ui: World):
    assert post(ui, "viewer", {"query": "{ version }"}, headers={"origin": "http://ui.test"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "//graphql", "/graphql/", "/./graphql", "/x/../graphql", "/%67raphql", "/graphql%2f", "/GRAPHQL",
        "/server_info/../graphql", "/server_info%2f..%2fgraphql", "/server_info/", "/server_info%00",
        "/dagit_info", "/logs/..%2f..%2f..%2fetc/passwd", "/report_asset_materialization/flights/one",
        "/download_debug/x", "/notebook?path=x.ipynb", "/", "/favicon.png",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_no_path_lets_in_who_is_unknown(ui: World, method: str, path: str):
    answer = asyncio.run(ui.send(method, path, "nobody", json={"query": PAUSE}))
    assert answer.status_code == 401
    assert "token" in answer.text


def test_a_probe_needs_no_token(ui: World):
    assert asyncio.run(ui.send("GET", "/server_info", "nobody")).status_code == 200
    assert asyncio.run(ui.send("POST", "/server_info", "nobody")).status_code == 401


@pytest.mark.parametrize(
    "header", ["x-forwarded-user", "x-forwarded-email", "x-auth-request-user", "x-headrace-identity", "remote-user"]
)
def test_headers_that_nobody_signed_name_nobody(ui: World, header: str):
    assert post(ui, "nobody", {"query": "{ version }"}, headers={header: "ada"}).status_code == 401


def test_a_websocket_changes_nothing(ui: World):
    with TestClient(ui.app).websocket_connect("/graphql", headers={"x-who": "admin"}) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        socket.send_json({"type": "start", "id": "1", "payload": {"query": PAUSE}})
        assert socket.receive_json()["type"] == "error"
        payload = {"query": "subscription { setAutoMaterializePaused(paused: true) }"}
        socket.send_json({"type": "start", "id": "2", "payload": payload})
        assert socket.receive_json()["type"] == "error"


@pytest.mark.parametrize("headers", [{}, {"x-who": "admin", "origin": "https://evil.test"}])
def test_a_websocket_of_somebody_else_is_closed(ui: World, headers: dict):
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        TestClient(ui.app).websocket_connect("/graphql", headers=headers),
    ):
        pass
    assert closed.value.code == 1008


@pytest.mark.parametrize("kind", ["schedules", "sensors"])
def test_what_is_named_by_ids_of_two_different_ones_is_in_no_location(ui: World, kind: str):
    """Dagster asks for the right on what the first id names, and stops what the second names."""
    with ui.process.create_request_context() as context:
        mine, theirs = (ids(context, location, kind) for location in ("airports", "flights"))
        assert places_of_instigator(context, kind, None, *mine) == ["airports"]
        assert places_of_instigator(context, kind, "::".join(theirs), None, None) == ["flights"]
        assert places_of_instigator(context, kind, None, "::".join(theirs), "anything") == ["flights"]
        assert places_of_instigator(context, kind, None, mine[0], theirs[1]) == [None]
        assert places_of_instigator(context, kind, f"{mine[0]}::{theirs[1]}", *mine) == [None]
        assert places_of_instigator(context, kind, None, None, None) == [None]


def ids(context: Any, location: str, kind: str) -> tuple[str, str]:
    [repository] = context.get_code_location(location).get_repositories().values()
    found = getattr(repository, f"get_{kind}")()[0]
    return found.get_remote_origin_id(), found.selector_id


@pytest.mark.parametrize(("location", "asset"), [("flights", ["airports", "one"]), ("airports", ["flights", "one"])])
def test_the_job_of_assets_is_not_lent_to_another_location(ui: World, location: str, asset: list[str]):
    selector = {
        "repositoryName": "__repository__", "repositoryLocationName": location,
        "jobName": "__ASSET_JOB", "assetSelection": [{"path": asset}],
    }  # fmt: skip
    assert is_refused(asyncio.run(ui.ask("other team", LAUNCH, {"p": {"selector": selector}})))


def test_one_forbidden_run_among_several_stops_all(ui: World):
    own = {**RUN, "selector": {**JOB, "repositoryLocationName": "airports"}}
    query = "mutation($l: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $l) { __typename } }"
    assert is_refused(asyncio.run(ui.ask("other team", query, {"l": [own, RUN]})))


def test_a_location_that_does_not_exist_gives_no_right(ui: World):
    nowhere = {**RUN, "selector": {**JOB, "repositoryLocationName": "nowhere"}}
    assert is_refused(asyncio.run(ui.ask("team", LAUNCH, {"p": nowhere})))


def test_a_backfill_of_assets_of_two_teams_needs_the_right_on_both(ui: World):
    keys = [MONTHLY, {"path": ["airports", "monthly"]}]
    query = "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename } }"
    assert is_refused(asyncio.run(ui.ask("team", query, {"p": {"assetSelection": keys, "allPartitions": True}})))


@pytest.mark.parametrize("kind", ["materialization", "check", "observation"])
@pytest.mark.parametrize("who", ["viewer", "team", "other team"])
def test_events_are_reported_by_production_alone(ui: World, kind: str, who: str):
    body = {"check_name": "fine", "passed": True}
    path = f"/report_asset_{kind}/flights/one"
    assert asyncio.run(ui.send("POST", path, who, json=body)).status_code == 401
    trick = asyncio.run(ui.send("POST", f"/report_asset_{kind}/", who, json={**body, "asset_key": ["flights", "one"]}))
    assert trick.status_code == 401


def test_settings_of_the_instance_are_shown_to_those_who_may_change_them(ui: World):
    query = "{ instance { info } }"
    assert asyncio.run(ui.ask("team", query))["data"]["instance"]["info"] is None
    assert asyncio.run(ui.ask("production", query))["data"]["instance"]["info"]


def test_each_decision_is_logged_without_the_arguments(ui: World, place, caplog: pytest.LogCaptureFixture):
    secret = {**RUN, "runConfigData": json.dumps({"password": "canary"})}
    asyncio.run(ui.ask("other team", LAUNCH, {"p": secret}))
    [line] = [json.loads(record.message) for record in caplog.records if record.name == "headrace.access"]
    assert (line["decision"], line["what"], line["user"], line["locations"]) == (
        "denied",
        "launchRun",
        "ava",
        ["flights"],
    )
    assert line["roles"] == ["team:airport-operations"]
    assert "canary" not in caplog.text


def test_every_mutation_of_one_query_is_logged(ui: World, caplog: pytest.LogCaptureFixture):
    asyncio.run(ui.ask("viewer", "mutation { a: setNuxSeen }"))
    asyncio.run(ui.ask("viewer", "mutation { launchRun(executionParams: null) { __typename } }"))  # never begins
    assert [json.loads(record.message)["what"] for record in caplog.records] == ["setNuxSeen"]


def test_a_guard_that_raises_refuses_and_says_so_in_the_log(
    ui: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any) -> Any:
        raise RuntimeError("cannot reach postgresql://headrace:canary@db")

    for place in ("rights.Rights.allow", "webserver.deployment_of"):
        caplog.clear()
        with monkeypatch.context() as patched:
            patched.setattr(f"platform_core.access.{place}", broken)
            answer = post(ui, "production", {"query": PAUSE})
        assert "canary" not in answer.text
        assert answer.status_code == 500 or is_refused(answer.json())
        [line] = [json.loads(record.message) for record in caplog.records if record.name == "headrace.access"]
        assert (line["decision"], line["user"]) == ("denied", "piet")
        assert "could not be found out (RuntimeError)" in line["reason"]
        assert line["what"] in ("setAutoMaterializePaused", "POST /graphql")


def test_the_calls_of_these_tests_would_do_something(place):
    """Else a test that nothing changes could not fail."""
    ui, things, home = place
    before = contents(home)
    answer = asyncio.run(ui.ask("team", LAUNCH, arguments_of(things)["launchRun"] and {"p": RUN}))
    assert answer["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert contents(home) != before
