"""The code servers of this machine's locations, each of which starts by itself, whatever the others do."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg

from platform_core.errors import SettingsError
from platform_core.locations import not_loaded
from platform_core.orchestrator.code_servers import local_code_server, local_locations

log = logging.getLogger("headrace")


class LocalCode:
    """Servers that reload their code when asked, as `dagster dev` has them. To be closed.

    Args:
        folder: where they are found, under names that stay when a server is started again.
        patience: seconds that one may take to load before the others go on without it.
    """

    def __init__(self, instance: dg.DagsterInstance, workspace: Path, folder: Path, patience: float) -> None:
        self._instance, self._workspace, self._folder, self._patience = instance, workspace, folder, patience
        self._metadata = local_locations(workspace)
        self._threads: dict[str, threading.Thread] = {}
        self._servers: dict[str, AbstractContextManager[Any]] = {}

    @property
    def specs(self) -> Sequence[Mapping[str, Any]]:
        """Where the servers are, or will be, as a workspace.yaml says it."""
        return [
            {
                "grpc_server": {
                    "location_name": name,
                    "socket": str(self._socket(name)),
                    "host": "localhost",
                    "additional_metadata": metadata,
                }
            }
            for name, metadata in self._metadata.items()
        ]

    def __enter__(self) -> "LocalCode":
        for name in self._metadata:
            self._start(name)
        until = time.monotonic() + self._patience
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.__exit__(None, None, None)

    def problem(self, name: str) -> str:
        """Why a location has no server, in a sentence; empty where it has one."""
        return "" if name in self._servers else f"{not_loaded(name, self._patience)} Then reload it."

    def reload(self, name: str) -> bool:
        """Starts a server that did not start before, and waits for it as long as at first; all reload by themselves."""
        if name not in self._servers and not self._threads[name].is_alive():
            self._start(name)
            self._threads[name].join(self._patience)
        return True

    def _start(self, name: str) -> None:
        self._threads[name] = threading.Thread(target=self._serve, args=(name,), name=f"start {name}", daemon=True)
        self._threads[name].start()

    def _serve(self, name: str) -> None:
        try:
            server = local_code_server(self._instance, self._workspace, name)
        except SettingsError as error:
            log.warning("%s (%s)", self.problem(name), error)
            return
        self._socket(name).unlink(missing_ok=True)
        self._socket(name).symlink_to(server.socket)
        self._servers[name] = server

    def _socket(self, name: str) -> Path:
        return self._folder / f"local-{name}.sock"
