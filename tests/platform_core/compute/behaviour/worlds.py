"""A deployment that the behaviour suite runs on: databases, a Dagster instance, and one place or several for steps."""

import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy import make_url

from platform_core.compute.flights import BACKEND
from platform_core.dagster_internals import serialize_value
from platform_core.orchestrator.partitions import partition_tags
from platform_core.orchestrator.runs import LocationOrigin
from platform_core.tracing.trace import ADDRESS as TRACES
from tests.platform_core.compute.behaviour.notes import FOLDER_VARIABLE, Notes
from tests.platform_core.compute.behaviour.places import SECRET, Place
from tests.platform_core.compute.behaviour.run_workers import ForkingLauncher
from tests.platform_core.compute.behaviour.table import TABLE_VARIABLE
from tests.platform_core.compute.support.images import LIBRARIES, REPOSITORY
from tests.platform_core.postgres import running_postgres
from tests.platform_core.tracing.collector import Collector, collecting

MODULE = "tests.platform_core.compute.behaviour.location"
DATABASE = "BEHAVIOUR_POSTGRES"
GREETING = "grüß 🎈 $(PATH)"
PATIENCE = 180  # seconds for a run on a busy machine
_INSTANCE: Mapping[str, Any] = {
    "telemetry": {"enabled": False},
    "run_monitoring": {"enabled": True, "max_resume_run_attempts": 3},
    "run_launcher": {"module": ForkingLauncher.__module__, "class": ForkingLauncher.__name__},
    "concurrency": {"pools": {"granularity": "op", "default_limit": 1}},
}


class Ran:
    """A run that ended, and what its event log says."""

    def __init__(self, run: dg.DagsterRun, entries: Sequence[dg.EventLogEntry]) -> None:
        self.run = run
        self.entries = entries

    @property
    def status(self) -> str:
        return self.run.status.value

    def of(self, step: str, *kinds: str) -> list[dg.DagsterEvent]:
        """The events of a step, all of them or those of some kinds."""
        events = [entry.dagster_event for entry in self.entries if entry.dagster_event]
        return [event for event in events if event.step_key == step and (not kinds or event.event_type_value in kinds)]

    def said(self, step: str) -> str:
        """All that was said about a step for people."""
        tries = [event.step_retry_data.error for event in self.of(step, "STEP_UP_FOR_RETRY")]
        errors = [error.message for error in tries if error]
        return "\n".join(filter(None, [*(event.message for event in self.of(step)), *errors, self.failure(step)]))

    def failure(self, step: str) -> str:
        """Why a step failed, in its own words and in its error's; nothing when it did not."""
        for event in self.of(step, "STEP_FAILURE"):
            data = event.step_failure_data
            description = data.user_failure_data.description if data.user_failure_data else ""
            return f"{description}\n{data.error.to_string() if data.error else ''}"
        return ""

    @property
    def troubles(self) -> str:
        """All that went wrong, for whoever reads a failed test."""
        wrong = [entry for entry in self.entries if int(entry.level) >= logging.ERROR]
        return "\n".join(
            f"{entry.step_key}: {entry.user_message}\n{self.failure(entry.step_key or '')}" for entry in wrong
        )

    def log_key(self, step: str) -> list[str]:
        """Where what the step printed is kept."""
        events = [entry.dagster_event for entry in self.entries if entry.dagster_event]
        captured = [event.logs_captured_data for event in events if event.event_type_value == "LOGS_CAPTURED"]
        return [self.run.run_id, "compute_logs", *(data.file_key for data in captured if step in data.step_keys)]

    def succeeded(self, step: str) -> bool:
        return bool(self.of(step, "STEP_SUCCESS"))

    def backends(self) -> dict[str, str]:
        """The backend that each step was placed on at last."""
        placed = [entry.dagster_event for entry in self.entries if entry.dagster_event]
        return {
            str(event.step_key): str(event.engine_event_data.metadata[BACKEND].value)
            for event in placed
            if event.event_type_value == "STEP_WORKER_STARTING" and BACKEND in event.engine_event_data.metadata
        }

    def everything(self) -> str:
        """The whole event log as it is kept."""
        return "\n".join(map(serialize_value, self.entries))


@dataclass(frozen=True)
class World:
    """A deployment.

    Args:
        environment: what run workers find in theirs.
        secret: what nobody may ever read in anything that is kept.
        collector: gets the traces of runs and their steps.
    """

    places: Mapping[str, Place]
    folder: Path
    environment: Mapping[str, str]
    instance: dg.DagsterInstance
    notes: Notes
    secret: str
    collector: Collector

    @property
    def place(self) -> Place:
        """The one that steps run on by default."""
        return next(iter(self.places.values()))

    def need(self, what: str) -> None:
        """Skips what cannot be seen in this place."""
        if reason := self.place.lacks.get(what):
            pytest.skip(reason)

    def run(self, *assets: str, **said: Any) -> Ran:
        return self.finish(self.start(*assets, **said))

    def start(
        self,
        *assets: str,
        partitions: Sequence[str] = (),
        job: str = "__ASSET_JOB",
        most: int = 4,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Launches a run of assets, or of a job."""
        from tests.platform_core.compute.behaviour.location import defs

        definition = defs.resolve_job_def(job)
        origin = LocationOrigin("behaviour", MODULE, "defs", Path(sys.executable))
        run = self.instance.create_run_for_job(
            definition,
            run_config={"execution": {"config": {"max_concurrent": most}}},
            tags={**partition_tags(partitions), **(tags or {})},
            asset_selection=frozenset(map(dg.AssetKey, assets)) or None,
            remote_job_origin=origin.seen_by_webserver(job),
            job_code_origin=origin.seen_by_steps(job),
            status=dg.DagsterRunStatus.STARTING,
        )
        ForkingLauncher.environment = self.environment
        workspace: Any = None
        self.instance.launch_run(run.run_id, workspace)
        return run.run_id

    def resume(self, run_id: str) -> None:
        """What Dagster's monitoring daemon does when it finds a run worker gone."""
        workspace: Any = None
        ForkingLauncher.environment = self.environment
        self.instance.resume_run(run_id, workspace, attempt_number=1)

    def kill(self, run_id: str) -> None:
        """Takes the run worker away without a word."""
        ForkingLauncher.kill(run_id)

    def finish(self, run_id: str) -> Ran:
        """Waits until the run worker has ended."""
        process = ForkingLauncher.processes[run_id]
        process.join(PATIENCE)
        assert process.exitcode is not None, f"The run goes on and on. {self._log()}"
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        assert run.is_finished, f"Its run worker ended, the run did not. {self._log()}"
        return Ran(run, self.instance.all_logs(run_id))

    def wait(self, *notes: str) -> None:
        """Waits until steps have left these notes."""
        end = time.monotonic() + PATIENCE
        while missing := [name for name in notes if not self.notes.lines(name)]:
            assert time.monotonic() < end, f"{missing} never came. {self._log()}"
            time.sleep(0.05)

    def left_of(self, ran: Ran) -> list[str]:
        """What still exists of a run, once there was time to remove it."""
        end = time.monotonic() + PATIENCE
        while (left := self.place.left(ran.run.run_id)) and time.monotonic() < end:
            time.sleep(0.2)
        return left

    def _log(self) -> str:
        return Path(self.environment["BEHAVIOUR_LOG"]).read_text()[-5000:]


@contextmanager
def a_world(folder: Path, places: Mapping[str, Place]) -> Iterator[World]:
    """A deployment with all of these places, the first of which is its default."""
    by_network = any(place.address for place in places.values())
    here = max(place.address for place in places.values()) or "127.0.0.1"  # that of pods, where there are any
    with _databases(folder, by_network) as urls, collecting(here) as collector, pytest.MonkeyPatch.context() as patch:
        world_environment, secret = _environment(folder, places, urls)
        world_environment[TRACES] = collector.address
        home = Path(world_environment["DAGSTER_HOME"])
        home.mkdir(parents=True)
        storage = {"storage": {"postgres": {"postgres_url": {"env": DATABASE}}}} if by_network else {}
        (home / "dagster.yaml").write_text(yaml.safe_dump({**_INSTANCE, **storage}))
        for name in (DATABASE, "DAGSTER_HOME", FOLDER_VARIABLE):
            patch.setenv(name, world_environment.get(name, ""))
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield World(places, folder, world_environment, instance, Notes(folder / "notes"), secret, collector)


def _environment(folder: Path, places: Mapping[str, Place], urls: Mapping[str, str]) -> tuple[dict[str, str], str]:
    secret = secrets.token_hex(16)
    (folder / "notes").mkdir(parents=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "DAGSTER_"))}
    own |= {
        "HEADRACE_HOME": str(folder / "home"),
        "HEADRACE_NAMESPACE": "user/tess",
        "HEADRACE_REPOSITORY": str(REPOSITORY),
        "DAGSTER_HOME": str(folder / "home" / "dagster" / "user-tess"),
        FOLDER_VARIABLE: str(folder / "notes"),
        "BEHAVIOUR_LOG": str(folder / "run-workers.log"),
        SECRET: secret,
        "PYTHONPATH": f"{REPOSITORY}:{LIBRARIES}",
    }
    for place in places.values():
        own |= place.variables
    own |= {name: url.format(host="127.0.0.1") for name, url in urls.items()}
    own[TABLE_VARIABLE] = json.dumps(_table(places, folder, {SECRET: secret}, urls))
    return own, secret


def _table(places: Mapping[str, Place], folder: Path, hidden: Mapping[str, str], urls: Mapping[str, str]) -> Any:
    first = next(iter(places.values()))
    profiles = {}
    for place in places.values():
        addresses = {name: url.format(host=place.address) for name, url in urls.items()}
        variables = {FOLDER_VARIABLE: str(folder / "notes"), "BEHAVIOUR_GREETING": GREETING}
        profiles[place.name] = {
            **place.profile,
            "variables": {**place.profile.get("variables", {}), **variables},
            "secrets": place.keep_secrets({**hidden, **addresses}) if place.name != "local" else {},
        }
    backends = {place.name: place.backend for place in places.values() if place.name != "local"}
    return {"default": first.name, "profiles": profiles, "backends": backends}


@contextmanager
def _databases(folder: Path, by_network: bool) -> Iterator[Mapping[str, str]]:
    """The variables that name the databases, with `{host}` for the machine; none where they are files."""
    if not by_network:
        yield {}
        return
    with running_postgres() as server:
        password = secrets.token_hex(12)
        port = server.listen(password)
        catalog = make_url(server.new_catalog())
        yield {
            name: str(url.set(drivername="postgresql").render_as_string(hide_password=False)).replace("HOST", "{host}")
            for name, url in {
                DATABASE: make_url(server.url).set(host="HOST", port=port, password=password, query={}),
                "HEADRACE_CATALOG": catalog.set(
                    host="HOST", port=port, password=password, query={"options": catalog.query["options"]}
                ),
            }.items()
        }
