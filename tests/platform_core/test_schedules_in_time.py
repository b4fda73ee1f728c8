"""Schedules over simulated time, by Dagster's own scheduler: clocks that are set forward and back, and downtime."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from platform_core.automation import Missed, refresh, refresh_latest
from platform_core.orchestrator.ticks import cron_times
from tests.platform_core.in_process import workspace_in_process
from tests.platform_core.instances import new_instance
from tests.platform_core.played_daemon import reopen_ticks, switch_on, tick_schedules

HERE = Path(__file__)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
SETTINGS = {
    "telemetry": {"enabled": False},
    "run_launcher": {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"},
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}


def daily(cron: str, zone: str, missed: Missed = "last") -> dg.Definitions:
    days = dg.DailyPartitionsDefinition("2026-01-01", timezone=zone)

    @dg.asset(partitions_def=days)
    def numbers() -> None: ...

    schedule = refresh_latest("days", dg.AssetSelection.assets(numbers), days, cron, zone, missed=missed)
    return dg.Definitions([numbers], schedules=[schedule])


berlin, new_york = daily("30 2 * * *", BERLIN), daily("30 1 * * *", NEW_YORK)
new_york_two = daily("30 2 * * *", NEW_YORK)
every, newest = daily("0 6 * * *", "UTC", "all"), daily("0 6 * * *", "UTC", "last")


class Asking:
    """Of no right."""


class Scheduler:
    """That of an instance, at whatever time."""

    def __init__(self, instance: dg.DagsterInstance, workspace: object) -> None:
        self.instance = instance
        self._workspace = workspace
        self._seen: dict[str, Any] = {}

    def tick(self, now: datetime) -> None:
        tick_schedules(self._workspace, now.astimezone(UTC), self._seen)

    def dies(self) -> None:
        """In the middle of its last tick, and starts anew."""
        self._seen.clear()
        reopen_ticks(self.instance)

    @property
    def runs(self) -> list[tuple[datetime, str]]:
        """When each was due, oldest first, and its partition."""
        return sorted(
            (datetime.fromisoformat(run.tags[".dagster/scheduled_execution_time"]), run.tags["dagster/partition"])
            for run in self.instance.get_runs()
        )

    @property
    def partitions(self) -> list[str]:
        return sorted(partition for _, partition in self.runs)


@contextmanager
def scheduler(folder: Path, definitions: str) -> Iterator[Scheduler]:
    with (
        new_instance(folder, **SETTINGS) as instance,
        workspace_in_process(instance, HERE, [definitions], Asking) as workspace,
    ):
        yield Scheduler(instance, workspace)


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_NAMESPACE", "production")


@pytest.mark.parametrize(
    ("definitions", "zone", "change", "due"),
    [
        ("berlin", BERLIN, "2026-03-29", "2026-03-29T03:00+02:00"),  # there is no 02:30
        ("berlin", BERLIN, "2026-10-25", "2026-10-25T02:30+01:00"),  # it comes twice
        ("new_york_two", NEW_YORK, "2026-03-08", "2026-03-08T03:00-04:00"),
        ("new_york", NEW_YORK, "2026-11-01", "2026-11-01T01:30-05:00"),
    ],
)
def test_each_day_is_computed_once_when_clocks_change(
    definitions: str, zone: str, change: str, due: str, tmp_path: Path
) -> None:
    midnight = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo(zone))
    half_hours = [midnight.astimezone(UTC) + timedelta(minutes=30 * number) for number in range(10)]
    with scheduler(tmp_path / "dagster", definitions) as world:
        for now in (midnight - timedelta(hours=12), *half_hours, midnight + timedelta(days=1, hours=12)):
            world.tick(now)
        days = [midnight - timedelta(days=1), midnight]
        assert world.partitions == [f"{day:%Y-%m-%d}" for day in days]
        assert world.runs[0][0] == datetime.fromisoformat(due)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
@pytest.mark.parametrize("cron", ["*/15 * * * *", "0 * * * *"])
def test_each_hour_is_there_once_when_clocks_change(cron: str, zone: str) -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    times = [*cron_times(cron, zone, first, last)]
    step = timedelta(minutes=15) if cron.startswith("*/15") else timedelta(hours=1)
    assert {later - earlier for earlier, later in pairwise(times)} == {step}


@pytest.mark.parametrize(
    ("zone", "change"),
    [(BERLIN, "2026-03-29"), (BERLIN, "2026-10-25"), (NEW_YORK, "2026-03-08"), (NEW_YORK, "2026-11-01")],
)
def test_each_hour_is_a_partition_of_its_own_when_clocks_change(zone: str, change: str) -> None:
    hours = dg.HourlyPartitionsDefinition("2026-01-01-00:00", timezone=zone)

    @dg.asset(partitions_def=hours)
    def numbers() -> None: ...

    schedule: Any = refresh_latest("hours", dg.AssetSelection.assets(numbers), hours, "0 * * * *", zone)
    first = datetime.fromisoformat(change).replace(tzinfo=ZoneInfo(zone))
    found = []
    for due in cron_times("0 * * * *", zone, first, first + timedelta(days=1)):
        (request,) = schedule(dg.build_schedule_context(scheduled_execution_time=due))
        found.append((request.partition_key, request.run_key))
    many = (first + timedelta(days=1)).astimezone(UTC) - first.astimezone(UTC)
    assert len({key for key, _ in found}) == len({key for _, key in found}) == many / timedelta(hours=1)


def test_a_tick_that_is_evaluated_twice_launches_one_run(tmp_path: Path) -> None:
    with scheduler(tmp_path / "dagster", "every") as world:
        world.tick(datetime(2026, 6, 1, 0, tzinfo=UTC))
        world.tick(datetime(2026, 6, 4, 7, tzinfo=UTC))
        before = world.runs
        world.dies()
        world.tick(datetime(2026, 6, 4, 7, tzinfo=UTC))
        assert world.runs == before
        assert len(before) == 4


@pytest.mark.parametrize(
    ("definitions", "made_up"),
    [("every", ["2026-06-01", "2026-06-02", "2026-06-03"]), ("newest", ["2026-06-02", "2026-06-03"])],
)
def test_after_a_downtime_what_was_missed_is_made_up_for_by_policy(
    definitions: str, made_up: list[str], tmp_path: Path
) -> None:
    with scheduler(tmp_path / "dagster", definitions) as world:
        for day in (1, 4, 5):
            world.tick(datetime(2026, 6, day, 5, 59, tzinfo=UTC))
            world.tick(datetime(2026, 6, day, 6, 1, tzinfo=UTC))
        assert world.partitions == ["2026-05-31", *made_up, "2026-06-04"]


def test_what_fell_into_the_time_when_a_schedule_was_off_is_not_made_up_for(tmp_path: Path) -> None:
    with scheduler(tmp_path / "dagster", "every") as world:
        world.tick(datetime(2026, 6, 1, 0, tzinfo=UTC))
        world.tick(datetime(2026, 6, 1, 7, tzinfo=UTC))
        switch_on(world.instance, datetime(2026, 6, 9, 12, tzinfo=UTC))
        world.tick(datetime(2026, 6, 11, 7, tzinfo=UTC))
        assert world.partitions == ["2026-05-31", "2026-06-09", "2026-06-10"]


def test_who_skips_what_was_missed_computes_nothing_late_and_is_told() -> None:
    days, now = dg.DailyPartitionsDefinition("2026-01-01"), datetime.now(UTC)
    nothing = dg.AssetSelection.all()
    schedules: list[Any] = [
        refresh("one", nothing, "0 6 * * *", missed="skip"),
        refresh_latest("days", nothing, days, "0 6 * * *", missed="skip"),
    ]
    for schedule in schedules:
        late = schedule(dg.build_schedule_context(scheduled_execution_time=now - timedelta(hours=1)))
        assert "is not made up for" in late.skip_message
        told = schedule(dg.build_schedule_context(scheduled_execution_time=now - timedelta(minutes=1)))
        assert not isinstance(told, dg.SkipReason)
