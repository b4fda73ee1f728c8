"""Runs and backfills say who launched them, whatever the request says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform_core.access.calls import MONTHLY, RUN, Things, made
from tests.platform_core.access.world import World, world

FORGED = [
    {"key": "user", "value": "ada"},
    {"key": "team", "value": "airport-operations"},
    {"key": "dagster/run_key", "value": "taken"},
    {"key": "dagster/schedule_name", "value": "each_night"},
    {"key": "dagster/backfill", "value": "theirs"},
    {"key": ".dagster/scheduled_execution_time", "value": "2026-01-01T00:00:00"},
    {"key": "kept", "value": "yes"},
]
FINNS = {"user": "finn", "team": "flight-operations"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Things]]:
    with world("production", Path(tmp_path_factory.mktemp("dagster"))) as ui:
        yield ui, asyncio.run(made(ui))


def newest_tags(ui: World) -> dict[str, str]:
    return dict(ui.instance.get_runs(limit=1)[0].tags)


def newest_backfill(ui: World) -> dict[str, str]:
    return dict(ui.instance.get_backfills(limit=1)[0].tags)


def test_a_run_says_who_launched_it_and_nothing_forged(place):
    query = "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename } }"
    asyncio.run(place[0].ask("team", query, {"p": {**RUN, "executionMetadata": {"tags": FORGED}}}))
    tags = newest_tags(place[0])
    assert FINNS.items() <= tags.items()
    assert tags["kept"] == "yes"
    assert not {"dagster/run_key", "dagster/schedule_name", "dagster/backfill"} & set(tags)
    assert ".dagster/scheduled_execution_time" not in tags


def test_several_runs_at_once_say_it_too(place):
    query = "mutation($l: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $l) { __typename } }"
    asyncio.run(place[0].ask("team", query, {"l": [RUN, RUN]}))
    assert FINNS.items() <= newest_tags(place[0]).items()


def test_a_run_again_says_who_wanted_it_again(place):
    ui, things = place
    assert ui.instance.get_run_by_id(things.run).tags["user"] == "ada"
    again = {"parentRunId": things.run, "strategy": "ALL_STEPS", "extraTags": FORGED, "useParentRunTags": True}
    query = "mutation($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) { __typename } }"
    asyncio.run(ui.ask("team", query, {"p": again}))
    tags = newest_tags(ui)
    assert tags["dagster/parent_run_id"] == things.run
    assert FINNS.items() <= tags.items()


def test_a_backfill_says_who_launched_it(place):
    query = "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename } }"
    wanted = {"assetSelection": [MONTHLY], "partitionNames": ["jan"], "tags": FORGED}
    asyncio.run(place[0].ask("team", query, {"p": wanted}))
    assert newest_backfill(place[0]) == {**FINNS, "kept": "yes"}


def test_a_backfill_again_says_who_wanted_it_again(place):
    ui, things = place
    assert ui.instance.get_backfill(things.ended).tags["user"] == "ada"
    query = "mutation($p: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $p) { __typename } }"
    answer = asyncio.run(ui.ask("team", query, {"p": {"parentRunId": things.ended, "strategy": "ALL_STEPS"}}))
    assert answer["data"]["reexecutePartitionBackfill"]["__typename"] == "LaunchBackfillSuccess"
    assert FINNS.items() <= newest_backfill(ui).items()
    assert newest_backfill(ui)["dagster/parent_backfill_id"] == things.ended


def test_what_is_of_two_teams_says_both(place):
    query = "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename } }"
    keys = [MONTHLY, {"path": ["airports", "monthly"]}]
    asyncio.run(place[0].ask("production", query, {"p": {"assetSelection": keys, "allPartitions": True}}))
    assert newest_backfill(place[0]) == {"user": "piet", "team": "airport-operations+flight-operations"}


def test_events_that_are_reported_say_who_did(place):
    asyncio.run(place[0].send("POST", "/report_asset_materialization/flights/one", "production"))
    import dagster as dg

    event = place[0].instance.get_latest_materialization_event(dg.AssetKey(["flights", "one"]))
    assert event.asset_materialization.tags["user"] == "piet"
