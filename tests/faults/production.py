"""A small production of real processes, each of which is started again when it dies, as a cluster would."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.conftest import REPOSITORY
from tests.platform_core.postgres import Postgres, running_postgres

LOCATIONS = ("arrivals", "bookings", "crews")
LEASE = 6  # seconds, so that a round is short; the default is 15
AGAIN = 2.0  # seconds after which what died is started again

ASSETS = '''
"""Numbers of each minute, for tests."""

import time

import polars as pl

from platform_core import Compute, fact, feature
from tests.faults.hour import minutes_of

MINUTES = minutes_of("{since}")


@fact(partitions_def=MINUTES, partition_by="minute", compute=Compute(retries=3))
def counted(context) -> pl.DataFrame:
    """A few numbers."""
    time.sleep(0.5)
    return pl.DataFrame({{"minute": [context.partition_key] * 3, "number": [1, 2, 3]}})


@feature(partitions_def=MINUTES, partition_by="minute", compute=Compute(retries=3), automation_condition=None)
def summed(counted: pl.DataFrame) -> pl.DataFrame:
    """Their sum."""
    time.sleep(0.5)
    return counted.group_by("minute").agg(pl.col("number").sum())
'''
DEFINITIONS = """
from code_locations.{name} import assets
from platform_core import build_location
from resources.by_deployment import shared_resources
from resources.compute import compute_table
from tests.faults.hour import ticks

defs = build_location(
    "{name}", [assets], resources=shared_resources(), compute=compute_table(), **ticks("{name}", "{since}")
)
"""


@dataclass
class Supervised:
    """A process that is started again whenever it ends."""

    name: str
    command: list[str]
    log: Path
    process: "subprocess.Popen[bytes]"
    ended: float | None = None


@dataclass
class Production:
    """Two daemons, a webserver, a code server for each location, PostgreSQL, and what these start."""

    folder: Path
    postgres: Postgres
    variables: Mapping[str, str]
    port: int
    supervised: dict[str, Supervised] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def start(self, name: str, *command: str) -> None:
        log = self.folder / f"{name}.log"
        self.supervised[name] = Supervised(name, [*command], log, self._started([*command], log))

    def restart_what_ends(self) -> None:
        while not self.over.wait(0.1):
            with self.lock:
                for one in self.supervised.values():
                    self._look_after(one)

    def _look_after(self, one: Supervised) -> None:
        if one.process.poll() is None:
            return
        one.ended = one.ended or time.monotonic()
        if time.monotonic() - one.ended > AGAIN:
            one.process, one.ended = self._started(one.command, one.log), None

    def _started(self, command: list[str], log: Path) -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=self.folder, env=dict(self.variables), stdout=output, stderr=output, start_new_session=True
            )

    def pid(self, name: str) -> int:
        return self.supervised[name].process.pid

    def said_by(self, pid: int) -> str:
        """What a supervised process printed, and those before it under the same name."""
        return "".join(one.log.read_text() for one in self.supervised.values() if one.process.pid == pid)

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return  # it was quicker

    def stop(self) -> None:
        self.over.set()
        with self.lock:
            for one in self.supervised.values():
                self.kill(one.process.pid, signal.SIGCONT)
                one.process.kill()
                one.process.wait()


@contextmanager
def production(folder: Path, lease: int = LEASE, since: str = "") -> Iterator[Production]:
    """Stands it up, and takes it down with all that it started.

    Args:
        lease: seconds after which a daemon that is silent leads no more.
        since: the first minute, where hours are not compressed.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        postgres.run("CREATE SCHEMA catalog")
        variables, ports = _variables(folder, postgres, lease), _free_ports(len(LOCATIONS) + 1)
        servers = dict(zip(LOCATIONS, ports, strict=False))
        _write_repository(folder, servers, since)
        one = Production(folder, postgres, variables, ports[-1])
        stack.callback(_end_the_rest, one)
        stack.callback(one.stop)
        _start(one, servers)
        watch = threading.Thread(target=one.restart_what_ends, name="supervisor", daemon=True)
        watch.start()
        stack.callback(watch.join)
        stack.callback(one.over.set)
        yield one


def _start(one: Production, servers: Mapping[str, int]) -> None:
    workspace = str(one.folder / "servers.yaml")
    for name, port in servers.items():
        python = str(one.folder / "code_locations" / name / ".venv" / "bin" / "python")
        one.start(f"code {name}", python, "-m", "platform_core.process", "code", name, "none", "--port", str(port))
    for name in ("daemon one", "daemon other"):
        one.start(name, sys.executable, "-m", "platform_core.daemon", "--workspace", workspace)
    one.start(
        "webserver", sys.executable, "-m", "platform_core.access", "--port", str(one.port), "--workspace", workspace
    )


def _variables(folder: Path, postgres: Postgres, lease: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "DAGSTER_"))}
    return kept | {
        "HEADRACE_HOME": str(folder / "home"),
        "HEADRACE_REPOSITORY": str(folder),
        "HEADRACE_NAMESPACE": "production",
        "HEADRACE_DAGSTER": postgres.url,
        "HEADRACE_CATALOG": f"{postgres.url}&options=-csearch_path%3Dcatalog",
        "HEADRACE_DAEMON_LEASE": str(lease),
        "HEADRACE_MAX_RUNS": "4",
        "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}",
        "PYTHONUNBUFFERED": "1",
    }


def _write_repository(folder: Path, servers: Mapping[str, int], since: str) -> None:
    (folder / "home").mkdir(parents=True)
    for name in ("platform_core", "resources", "tests"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / ".headrace").mkdir()
    (folder / ".headrace" / "bin").symlink_to(REPOSITORY / ".headrace" / "bin")  # uv, as make installs it
    settings = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    settings["run_monitoring"]["start_timeout_seconds"] = 60
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    (folder / "code_locations").mkdir()
    (folder / "code_locations" / "__init__.py").touch()
    for name in LOCATIONS:
        _write_location(folder / "code_locations" / name, since)
    entries = [{"python_module": _module(name)} for name in LOCATIONS]
    (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": entries}))
    served = [
        {"grpc_server": {"host": "127.0.0.1", "port": port, "location_name": name}} for name, port in servers.items()
    ]
    (folder / "servers.yaml").write_text(yaml.safe_dump({"load_from": served}))


def _module(name: str) -> dict[str, Any]:
    return {
        "module_name": f"code_locations.{name}.definitions",
        "location_name": name,
        "working_directory": ".",
        "executable_path": f"code_locations/{name}/.venv/bin/python",
    }


def _write_location(folder: Path, since: str) -> None:
    original = REPOSITORY / "code_locations" / "flights"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "assets.py").write_text(ASSETS.format(since=since))
    (folder / "definitions.py").write_text(DEFINITIONS.format(name=folder.name, since=since))
    (folder / "pyproject.toml").write_text((original / "pyproject.toml").read_text())
    (folder / "uv.lock").write_text((original / "uv.lock").read_text())
    (folder / ".venv").symlink_to(original / ".venv")


def _free_ports(many: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(many)]
        return [int(probe.getsockname()[1]) for probe in probes]


def processes_of(home: Path) -> dict[int, str]:
    """The commands of all processes that have this home, by number. Linux only."""
    wanted, found = f"HEADRACE_HOME={home}".encode(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _end_the_rest(one: Production) -> None:
    for pid, command in processes_of(one.home).items():
        if "postgres" not in command.split(" ")[0]:  # which was started again by who looks on, and is stopped in order
            one.kill(pid)
