"""One compressed hour after the other, in each of which every kind of process is killed at a random moment."""

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import dagster as dg

from platform_core.catalog.catalog import Catalog
from platform_core.catalog.engine import open_engine
from platform_core.daemon.lease import Lease
from platform_core.namespaces import PRODUCTION
from tests.faults.hour import Hour
from tests.faults.production import LOCATIONS, Production, processes_of

TAKEOVER = 30.0  # seconds that are promised
ASSETS = ("counted", "summed")
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
SOON = 75.0  # seconds in which there should be a run, or a step, to be killed: most of a minute as it is is quiet
OVERTAKEN = "this one stands by again"  # what a daemon says that was
FAULTS = ("daemon", "paused daemon", "webserver", "code server", "run worker", "step", "postgres")


@dataclass
class Round:
    """What came of one.

    Args:
        done: what was killed, in this order; a kind of which there was no process just then is not in it.
        takeovers: seconds after which another daemon led.
        seconds: from the last minute's due time until all was computed.
    """

    number: int
    done: list[str] = field(default_factory=list)
    takeovers: list[float] = field(default_factory=list)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass
class World:
    """A production together with what looks at it from outside."""

    production: Production
    instance: dg.DagsterInstance
    catalog: Catalog
    lease: Lease
    random: random.Random

    def close(self) -> None:
        """Without which the database would not stop."""
        self.instance.dispose()
        self.catalog._engine.dispose()

    def leader(self) -> int | None:
        """The process that leads."""
        found = self.lease.leadership()
        return int(found.leader.rpartition("/")[2]) if found and found.leader else None


def opened(production: Production, seed: int) -> World:
    """To be called with the variables of the production in place."""
    from platform_core.instance import prepare_dagster_home
    from platform_core.instance_settings import instance_settings
    from platform_core.settings import current_settings

    settings = current_settings()
    instance = dg.DagsterInstance.from_config(str(prepare_dagster_home(settings)))
    lease = Lease(instance_settings().url, "looker-on", instance_settings().daemon_lease)
    return World(production, instance, Catalog(open_engine(settings.catalog)), lease, random.Random(seed))


def wait_until_it_serves(world: World, patience: float = 300) -> None:
    """Until a daemon leads and ticks what asks for the minutes of all locations."""
    port = world.production.port

    def ready() -> bool:
        with urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
            pass
        states = [state for state in world.instance.all_instigator_state() if state.name.startswith("minutes_")]
        return world.leader() is not None and len(states) == len(LOCATIONS)

    assert _comes_true(ready, patience), "the production never served"


def play(world: World, number: int, hour: Hour, *, faults: Sequence[str] = FAULTS, patience: float = 420) -> Round:
    """Lets an hour pass while faults happen, and looks at what is there once all is quiet.

    Args:
        patience: seconds after which a run that has not ended counts as stuck.
    """
    told, order = Round(number), [*faults]
    world.random.shuffle(order)
    moments = sorted(world.random.uniform(hour.begin, hour.end) for _ in order)
    for fault, moment in zip(order, moments, strict=True):
        time.sleep(max(0.0, moment - time.time()))
        _inflict(world, fault, told)
    time.sleep(max(0.0, hour.end - time.time()))
    _comes_true(lambda: not _missing(world, hour.keys) and not _unfinished(world, hour.keys), patience)
    told.seconds = time.time() - hour.end
    told.problems += _problems(world, hour.keys)
    return told


def _inflict(world: World, fault: str, told: Round) -> None:
    production = world.production
    match fault:
        case "daemon" | "paused daemon":
            _overthrow(world, fault, told)
            return
        case "postgres":
            production.postgres.crash(world.random.choice(["immediate", "fast"]))
        case "webserver":
            production.kill(production.pid("webserver"))
        case "code server":
            production.kill(production.pid(f"code {world.random.choice(LOCATIONS)}"))
        case "run worker" | "step":
            found = _steps if fault == "step" else _run_workers
            one = _eventually(lambda: world.random.choice(found(world) or [None]), SOON)
            if one is None:
                return
            production.kill(one)
    told.done.append(fault)


def _overthrow(world: World, fault: str, told: Round) -> None:
    """Kills or pauses the daemon that leads, and waits until the other one does."""
    pid, begin = _eventually(world.leader, TAKEOVER), time.monotonic()
    if pid is None:
        told.problems.append("no daemon led")
        return
    said = world.production.said_by(pid).count(OVERTAKEN)
    world.production.kill(pid, signal.SIGKILL if fault == "daemon" else signal.SIGSTOP)
    if _comes_true(lambda: world.leader() not in (None, pid), 2 * TAKEOVER):
        told.takeovers.append(time.monotonic() - begin)
    else:
        told.problems.append(f"nobody took over from the {fault}")
    if fault == "paused daemon":
        world.production.kill(pid, signal.SIGCONT)
        if not _comes_true(lambda: world.production.said_by(pid).count(OVERTAKEN) > said, TAKEOVER):
            told.problems.append("the paused daemon still believes to lead")
    told.done.append(fault)


def _run_workers(world: World) -> list[int]:
    found = []
    for run in world.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        pid = json.loads(run.tags.get("headrace/run_worker", "{}")).get("pid")
        found += [pid] if pid and Path(f"/proc/{pid}").exists() else []
    return found


def _steps(world: World) -> list[int]:
    """Forks of run workers, and what they are forked from."""
    verbs = (" api execute_run ", " api resume_run ", "compute.backends.local.server")
    commands = processes_of(world.production.home)
    return sorted(
        {pid for pid, command in commands.items() if any(verb in command for verb in verbs)} - {*_run_workers(world)}
    )


def _missing(world: World, keys: Sequence[str]) -> list[str]:
    found = []
    for location in LOCATIONS:
        for asset in ASSETS:
            shown = world.catalog.resolve(PRODUCTION, f"{location}/{asset}", keys)
            found += [f"{location}/{asset} {key}" for key in keys if key not in shown]
    return found


def _runs(world: World, keys: Sequence[str]) -> list[dg.DagsterRun]:
    runs = world.instance.get_runs(dg.RunsFilter(job_name="minutes"))
    return [run for run in runs if run.tags["dagster/partition"] in keys]


def _unfinished(world: World, keys: Sequence[str]) -> list[str]:
    return [f"{run.run_id} is {run.status.value}" for run in _runs(world, keys) if run.status not in ENDED]


def _problems(world: World, keys: Sequence[str]) -> list[str]:
    """What is not as it should be: nothing when each minute was computed once, and nothing goes on."""
    found = [f"missing: {one}" for one in _missing(world, keys)]
    found += [f"stuck: {one}" for one in _unfinished(world, keys)]
    asked, succeeded = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for run in _runs(world, keys):
        place = (run.tags["dagster/code_location"], run.tags["dagster/partition"])
        asked[place] += run.parent_run_id is None
        succeeded[place] += run.status == dg.DagsterRunStatus.SUCCESS
    for location in LOCATIONS:
        for key in keys:
            for what, counter in (("launched", asked), ("succeeded", succeeded)):
                if counter[location, key] != 1:
                    found.append(f"{what} {counter[location, key]} times: {location} {key}")
            for asset in ASSETS:
                versions = world.catalog.history(PRODUCTION, f"{location}/{asset}", key)
                if len(versions) > 1:
                    found.append(f"published {len(versions)} times: {location}/{asset} {key}")
    return found


def _comes_true(condition: Callable[[], bool], patience: float) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if _asked(condition):
            return True
        time.sleep(0.25)
    return False


def _eventually(look: Callable[[], int | None], patience: float) -> int | None:
    found: list[int | None] = []

    def seen() -> bool:
        found.append(look())
        return found[-1] is not None

    return found[-1] if _comes_true(seen, patience) else None


def _asked(condition: Callable[[], bool]) -> bool:
    """False while the database or a server is down."""
    from sqlalchemy.exc import DBAPIError

    try:
        return condition()
    except (DBAPIError, OSError):
        return False
    except Exception as error:
        if type(error).__name__ == "DagsterPostgresException":
            return False
        raise
