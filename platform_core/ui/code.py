"""The code of a deployment, served: a code server for each of its locations, forked from a zygote."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from platform_core.locations import Location, all_locations, not_loaded
from platform_core.logs import logged
from platform_core.orchestrator.code_servers import code_server_answers
from platform_core.settings import current_settings
from platform_core.ui.zygotes import Start, Started, Zygotes, stop

log = logging.getLogger("headrace")


@dataclass
class ServedCode:
    """The code servers of one folder with code.

    Args:
        variables: the environment of its processes.
        folder: where their sockets and logs are.
        ready: makes the code ready; called before that of a location is served anew.
        patience: seconds that one may take to load before the others go on without it.
    """

    zygotes: Zygotes
    code: Path
    variables: Mapping[str, str]
    folder: Path
    ready: Callable[[], None] = lambda: None
    patience: float = field(default_factory=lambda: current_settings().load_timeout)
    _servers: dict[str, Started] = field(default_factory=dict)
    _late: set[str] = field(default_factory=set)
    _daemon: Started | None = None

    @property
    def specs(self) -> Sequence[Mapping[str, Any]]:
        """Where the servers are, as a workspace.yaml says it."""
        return [
            {
                "grpc_server": {
                    "location_name": location.name,
                    "socket": str(self._socket(location.name)),
                    "host": "localhost",
                }
            }
            for location in all_locations(self.code)
        ]

    def start(self) -> None:
        """Starts all servers, and returns before they answer."""
        for location in all_locations(self.code):
            self._start(location)

    def wait(self) -> None:
        """Returns when all servers answer, or have ended: then Dagster says so where the location would be shown.

        One that takes too long is ended.
        """
        until = time.monotonic() + self.patience
        for name, server in self._servers.items():
            while server.is_alive and not self._answers(name):
                if time.monotonic() > until:
                    self._give_up(name)
                time.sleep(0.01)

    def _answers(self, name: str) -> bool:
        return self._socket(name).exists() and code_server_answers(self._socket(name))

    def _give_up(self, name: str) -> None:
        self._late.add(name)
        log.warning("%s (%s)", self.problem(name), self.code)
        stop([self._servers[name]])

    def problem(self, name: str) -> str:
        """Why a location has no server, in a sentence; empty where it has one, or where Dagster knows why."""
        return f"{not_loaded(name, self.patience)} Then reload it." if name in self._late else ""

    def reload(self, name: str) -> bool:
        """Serves the code of a location as it is now, by a new server."""
        self.ready()
        [location] = [location for location in all_locations(self.code) if location.name == name]
        stop([self._servers[name]])
        self._late.discard(name)
        self._socket(name).unlink(missing_ok=True)
        self._start(location)
        self.wait()
        return False

    def start_daemon(self) -> None:
        """Starts what takes runs off the queue, and ticks schedules and sensors that are on, or stands by for that."""
        workspace = self.folder / "workspace.yaml"
        workspace.write_text(yaml.safe_dump({"load_from": list(self.specs)}))
        arguments = ("--workspace", str(workspace), "--log-level", "warning")
        first = all_locations(self.code)[0]
        self._daemon = self.zygotes.start(self._process(first, "platform_core.daemon", arguments, "daemon"))

    def learn(self) -> None:
        """Lets the zygotes load the libraries of all locations."""
        for location in all_locations(self.code):
            self.zygotes.learn(self._process(location, location.module, (), location.name))

    def stop(self) -> None:
        stop([*self._servers.values(), *([self._daemon] if self._daemon else [])])
        self._servers.clear()
        self._daemon = None

    def _start(self, location: Location) -> None:
        arguments = (
            *("api", "grpc", "--lazy-load-user-code", "--use-python-environment-entry-point"),
            *("--socket", str(self._socket(location.name)), "--location-name", location.name),
            *("--module-name", location.module, "--working-directory", str(self.code), "--log-level", "warning"),
        )
        self._servers[location.name] = self.zygotes.start(self._process(location, "dagster", arguments, location.name))

    def _process(self, location: Location, module: str, arguments: tuple[str, ...], log: str) -> Start:
        _, _, module, *rest = logged([str(location.interpreter), "-m", module, *arguments])
        return Start(location.interpreter, module, tuple(rest), self.code, self.variables, self.folder / f"{log}.log")

    def _socket(self, name: str) -> Path:
        return self.folder / f"{name}.sock"


@contextmanager
def folder_for_sockets() -> Iterator[Path]:
    """A folder whose name leaves room for the name of a socket, which may have 107 characters in all."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-ui-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
