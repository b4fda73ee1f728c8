"""What is wrong in an instance is seen: failures, warnings in green runs, stale assets, dead schedules and daemons."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest

from platform_core import fact, feature
from platform_core.alerts.watch import Watch
from platform_core.orchestrator.daemons import UNLOADED
from tests.platform_core.auditing.test_guard import Says
from tests.platform_core.instances import new_instance
from tests.platform_core.played_daemon import beat_daemon, note_tick, switch_schedule_on
from tests.platform_core.runs import run

LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with new_instance(tmp_path / "instance") as made:
        yield made


def assets(
    fails: bool = False, warns: bool = False, policy: dg.FreshnessPolicy | None = None
) -> list[dg.AssetsDefinition]:
    policy = policy or dg.FreshnessPolicy.time_window(timedelta(days=1))

    @fact(key_prefix="t", owners=["team:x"], freshness_policy=policy, checks=[Says(not warns, blocking=False)])
    def base() -> pl.DataFrame:
        if fails:
            raise ValueError("the file is gone")
        return pl.DataFrame({"a": [1]})

    @feature(key_prefix="t")
    def after(base: pl.DataFrame) -> pl.DataFrame:
        return base

    @feature(key_prefix="t")
    def last(after: pl.DataFrame) -> pl.DataFrame:
        return after

    return [base, after, last]


def watch(made: list[Any], instance: dg.DagsterInstance, now: datetime | None = None, **more: Any) -> Watch:
    graph = dg.Definitions(assets=made).resolve_asset_graph()
    return Watch(instance, graph, more.pop("schedules", ()), "t", now or datetime.now(UTC), **more)


def test_a_healthy_location_has_no_problems(instance: dg.DagsterInstance) -> None:
    assert run(*assets(), on=instance).success
    assert watch(assets(), instance, platform=True).problems() == []


def test_a_failed_asset_is_told_once_with_its_sentence_and_what_it_blocks(instance: dg.DagsterInstance) -> None:
    run(*assets(fails=True), on=instance)
    (found,) = watch(assets(), instance).problems()
    assert (found.subject, found.owner, found.blocked) == ("t/base", "team:x", ("t/after", "t/last"))
    assert "the file is gone" in found.sentence
    assert "/runs/" in found.link
    run(*assets(), on=instance)
    assert watch(assets(), instance).problems() == []


def test_a_check_that_only_warns_is_told_though_the_run_is_green(instance: dg.DagsterInstance) -> None:
    assert run(*assets(warns=True), on=instance).success
    (found,) = watch(assets(), instance).problems()
    assert (found.key, found.sentence) == ("check says t/base", "check says did not pass: it is not right")
    assert found.link.endswith("assets/t/base?view=checks")


def test_a_stale_asset_is_told(instance: dg.DagsterInstance) -> None:
    run(*assets(), on=instance)
    (found,) = watch(assets(), instance, now=LATER).problems()
    assert found.key == "stale t/base"
    assert "is stale: last computed" in found.sentence


@dataclass(frozen=True)
class Daily:
    """A deadline every day, two hours from now in another zone, by which the asset is to be computed since `within`."""

    within: timedelta
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def policy(self) -> dg.FreshnessPolicy:
        there = self.deadline.astimezone(
            ZoneInfo("Asia/Kolkata")
        )  # half an hour from full hours, and without summer time
        return dg.FreshnessPolicy.cron(f"{there.minute} {there.hour} * * *", self.within, "Asia/Kolkata")

    @property
    def deadline(self) -> datetime:
        return (self.now + timedelta(hours=2)).replace(second=0, microsecond=0)


def test_an_asset_that_was_computed_in_time_for_its_deadline_is_not_stale(instance: dg.DagsterInstance) -> None:
    daily = Daily(within=timedelta(hours=4))
    made = assets(policy=daily.policy)
    run(*made, on=instance)
    for after in (timedelta(0), timedelta(minutes=1), timedelta(hours=23)):
        assert watch(made, instance, now=daily.deadline + after).problems() == []


def test_an_asset_that_missed_its_deadline_is_stale_until_it_is_computed(instance: dg.DagsterInstance) -> None:
    daily = Daily(within=timedelta(hours=4))
    made = assets(policy=daily.policy)
    run(*made, on=instance)
    late = daily.deadline + timedelta(days=1)
    assert watch(made, instance, now=late - timedelta(seconds=1)).problems() == []
    (found,) = watch(made, instance, now=late + timedelta(seconds=1)).problems()
    assert (found.key, found.owner, found.blocked) == ("stale t/base", "team:x", ("t/after", "t/last"))
    assert f"due after {late - timedelta(hours=4):%Y-%m-%d %H:%M} UTC" in found.sentence
    earlier = Daily(within=timedelta(hours=4), now=daily.now - timedelta(hours=3))  # its deadline was an hour ago
    assert watch(assets(policy=earlier.policy), instance).problems() == []


def test_what_was_computed_too_early_for_its_deadline_is_stale(instance: dg.DagsterInstance) -> None:
    daily = Daily(within=timedelta(hours=1))
    made = assets(policy=daily.policy)
    run(*made, on=instance)
    assert watch(made, instance, now=daily.deadline - timedelta(seconds=1)).problems() == []
    (found,) = watch(made, instance, now=daily.deadline + timedelta(seconds=1)).problems()
    assert found.key == "stale t/base"


def test_a_schedule_that_does_not_tick_is_told(instance: dg.DagsterInstance) -> None:
    schedule = dg.ScheduleDefinition("nightly", job=dg.define_asset_job("j"), cron_schedule="0 3 * * *")
    assert watch(assets(), instance, now=LATER, schedules=[schedule]).problems() == []  # it is not switched on
    switch_schedule_on(instance, schedule)
    (found,) = watch(assets(), instance, now=LATER, schedules=[schedule]).problems()
    assert (found.subject, found.owner) == ("nightly", "team:x")
    assert "should have run at" in found.sentence


def test_a_sensor_that_fails_each_time_is_told_until_it_works(instance: dg.DagsterInstance) -> None:
    def problems() -> list[Any]:
        return watch(assets(), instance, sensors=["t_files"]).problems()

    note_tick(instance, "t_files")
    note_tick(instance, "of_others", ValueError("not ours"))
    assert problems() == []
    note_tick(instance, "t_files", FileNotFoundError("no such folder: /deliveries"))
    (found,) = problems()
    assert (found.key, found.owner, found.subject) == ("failed sensor t_files", "team:x", "t_files")
    assert found.sentence.startswith("could not be evaluated: ")
    assert "no such folder: /deliveries" in found.sentence
    note_tick(instance, "t_files")
    assert problems() == []


def test_the_owner_of_a_location_that_cannot_be_loaded_is_told(instance: dg.DagsterInstance) -> None:
    instance.daemon_cursor_storage.set_cursor_values({UNLOADED: '{"flights": "the file is gone", "moon": "?"}'})
    beat_daemon(instance, "SENSOR", time.time())
    told = {found.subject: found for found in watch(assets(), instance, platform=True).problems()}
    assert told["location flights"].owner == "team:flight-operations"
    assert "the file is gone" in told["location flights"].sentence
    assert told["location moon"].owner == "platform"
    assert watch(assets(), instance).problems() == []  # another location tells it


def test_a_silent_daemon_is_told_to_the_platform(instance: dg.DagsterInstance) -> None:
    beat_daemon(instance, "SCHEDULER", time.time() - 3600)
    beat_daemon(instance, "SENSOR", time.time())
    (found,) = watch(assets(), instance, platform=True).problems()
    assert (found.subject, found.owner) == ("daemon SCHEDULER", "platform")
    assert watch(assets(), instance).problems() == []
