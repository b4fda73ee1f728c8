"""What is wrong with a location at present, read from Dagster's instance: a snapshot, so that nothing is missed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

import dagster as dg

from platform_core.alerts.ledger import Problem
from platform_core.explanation import explain, explain_failure
from platform_core.locations import owners
from platform_core.orchestrator.daemons import daemon_beats, unloaded_locations
from platform_core.orchestrator.ticks import failed_ticks, latest_cron_tick, running_schedules

SILENT_AFTER = timedelta(minutes=5)  # daemons report every thirty seconds
LATE_AFTER = timedelta(minutes=15)  # a busy scheduler may need that long
PLATFORM = "platform"  # who is told of what is no team's


@dataclass(frozen=True)
class Watch:
    """Looks at the assets, checks, schedules and sensors of one location.

    sensors: their names. platform: whether this watch also tells of what is no location's, such as a silent daemon.
    """

    instance: dg.DagsterInstance
    graph: Any
    schedules: Sequence[dg.ScheduleDefinition]
    location: str
    now: datetime
    platform: bool = False
    sensors: Sequence[str] = ()

    def problems(self) -> list[Problem]:
        found = [*self._failed_assets(), *self._failed_checks(), *self._stale(), *self._missed()]
        found += self._failed_ticks()
        return found + ([*self._silent_daemons(), *self._unloaded()] if self.platform else [])

    @cached_property
    def _keys(self) -> list[dg.AssetKey]:
        return [key for key in self.graph.toposorted_asset_keys if self.graph.get(key).is_materializable]

    @cached_property
    def _records(self) -> dict[dg.AssetKey, Any]:
        return {
            record.asset_entry.asset_key: record.asset_entry for record in self.instance.get_asset_records(self._keys)
        }

    def _failed_assets(self) -> Iterator[Problem]:
        """Assets whose own step failed in the last run that was to compute them; what waits for them is blocked."""
        for key, entry in self._records.items():
            run = self.instance.get_run_by_id(entry.last_run_id) if entry.last_run_id else None
            done = entry.last_materialization
            if run is None or run.status != dg.DagsterRunStatus.FAILURE or (done and done.run_id == run.run_id):
                continue
            if (sentence := self._step_failure(run.run_id, key)) is not None:
                yield self._problem("asset", key, sentence, f"runs/{run.run_id}", run.run_id)

    def _step_failure(self, run_id: str, key: dg.AssetKey) -> str | None:
        failures = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        for entry in failures:
            event = entry.get_dagster_event()
            if event.step_key and event.step_key.split("[")[0] in self._steps(key):
                return explain_failure(event.step_failure_data)
        return None if failures else "its run failed before the step began; the run's log has more."

    def _steps(self, key: dg.AssetKey) -> set[str]:
        node = self.graph.get(key)
        definition = getattr(node, "assets_def", None)
        return {key.to_python_identifier(), *([definition.op.name] if definition is not None else [])}

    def _failed_checks(self) -> Iterator[Problem]:
        """Checks whose last result did not pass, those that only warn too: a run with such a one is green."""
        for check in self.graph.asset_check_keys:
            record = self.instance.get_latest_asset_check_evaluation_record(check)
            event = record.event.dagster_event if record and record.event else None
            if record is None or event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                continue  # never looked at, or its run ended before: what failed there is told as such
            if (found := event.asset_check_evaluation_data).passed:
                continue
            sentence = f"check {check.name} did not pass: {found.description or 'it gave no reason'}"
            link = f"assets/{_path(check.asset_key)}?view=checks"
            yield self._problem(f"check {check.name}", check.asset_key, sentence, link, str(record.id))

    def _stale(self) -> Iterator[Problem]:
        for key, entry in self._records.items():
            policy = self.graph.get(key).freshness_policy
            if policy is None or entry.last_materialization is None:
                continue
            made = datetime.fromtimestamp(entry.last_materialization.timestamp, UTC)
            if (since := self._due(policy)) is not None and made < since:
                sentence = f"is stale: last computed {made:%Y-%m-%d %H:%M} UTC, due after {since:%Y-%m-%d %H:%M} UTC"
                yield self._problem("stale", key, sentence, f"assets/{_path(key)}")

    def _due(self, policy: dg.FreshnessPolicy) -> datetime | None:
        """The moment since when an asset must have been computed."""
        if (window := getattr(policy, "fail_window", None)) is not None:
            return self.now - _delta(window)
        if (cron := getattr(policy, "deadline_cron", None)) is not None:
            zone, before = (
                getattr(policy, "timezone", "UTC"),
                _delta(getattr(policy, "lower_bound_delta", timedelta(0))),
            )
            return latest_cron_tick(cron, zone, self.now) - before
        return None

    def _missed(self) -> Iterator[Problem]:
        running = running_schedules(self.instance)
        for schedule in self.schedules:
            cron = schedule.cron_schedule
            if schedule.name not in running or not isinstance(cron, str):
                continue
            started, last = running[schedule.name]
            due = latest_cron_tick(cron, schedule.execution_timezone or "UTC", self.now - LATE_AFTER)
            if started < due.timestamp() and last < due.timestamp():
                sentence = f"should have run at {due:%Y-%m-%d %H:%M} UTC and did not"
                link = _link(f"automation?selectedSchedule={quote(schedule.name)}")
                yield Problem(f"schedule {schedule.name}", self._owner(), schedule.name, sentence, link, mark=str(due))

    def _failed_ticks(self) -> Iterator[Problem]:
        """Schedules and sensors that are on and fail each time: they look alive, and nothing comes of them."""
        kinds = dict.fromkeys(self.sensors, "sensor") | dict.fromkeys(
            (item.name for item in self.schedules), "schedule"
        )
        for name, tick in failed_ticks(self.instance).items():
            if kind := kinds.get(name):
                sentence = f"could not be evaluated: {explain(tick.error, None)}"
                link = _link(f"automation?selected{kind.title()}={quote(name)}")
                yield Problem(f"failed {kind} {name}", self._owner(), name, sentence, link, mark=str(tick.tick_id))

    def _silent_daemons(self) -> Iterator[Problem]:
        for name, beat in daemon_beats(self.instance).items():
            silent = self.now - datetime.fromtimestamp(beat, UTC)
            if silent > SILENT_AFTER:
                sentence = f"has not been heard of since {datetime.fromtimestamp(beat, UTC):%Y-%m-%d %H:%M} UTC"
                yield Problem(f"daemon {name}", PLATFORM, f"daemon {name}", sentence, _link("deployment/health"))

    def _unloaded(self) -> Iterator[Problem]:
        """Locations whose code cannot be loaded, which have no watch of their own."""
        for name, error in unloaded_locations(self.instance).items():
            sentence = f"cannot be loaded, so that nothing of it runs: {error}"
            owner = owners().get(name, PLATFORM)
            yield Problem(f"location {name}", owner, f"location {name}", sentence, _link(f"locations/{quote(name)}"))

    def _problem(self, kind: str, key: dg.AssetKey, sentence: str, path: str, mark: str = "") -> Problem:
        name = key.to_user_string()
        owners = self.graph.get(key).owners
        return Problem(
            f"{kind} {name}",
            owners[0] if owners else self._owner(),
            name,
            sentence,
            _link(path),
            self._below(key),
            mark,
        )

    def _owner(self) -> str:
        owners = [owner for key in self._keys for owner in self.graph.get(key).owners]
        return owners[0] if owners else self.location

    def _below(self, key: dg.AssetKey) -> tuple[str, ...]:
        """Everything that is computed from an asset, nearest first."""
        found: dict[dg.AssetKey, None] = {}
        waiting = [key]
        while waiting:
            for child in sorted(self.graph.get(waiting.pop(0)).child_keys):
                if child not in found:
                    found[child] = None
                    waiting.append(child)
        return tuple(child.to_user_string() for child in found)


def _delta(given: Any) -> timedelta:
    return given if isinstance(given, timedelta) else given.to_timedelta()


def _path(key: dg.AssetKey) -> str:
    return "/".join(quote(part) for part in key.path)


def _link(path: str) -> str:
    """An address in the UI, which `HEADRACE_UI` names."""
    return f"{os.environ.get('HEADRACE_UI', 'http://127.0.0.1:3000').rstrip('/')}/{path}"
