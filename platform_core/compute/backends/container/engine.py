"""The engine's API, as far as it is needed here: Docker's, which Podman speaks too."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound

from platform_core.compute.attempts import is_over
from platform_core.compute.backends.container.logs import LINES
from platform_core.compute.backends.container.places import away
from platform_core.compute.backends.container.refusals import EngineRefusal, NotThere
from platform_core.compute.backends.container.specification import ATTEMPT_LABEL

_TIMEOUT = 60  # seconds for the engine to answer anything but a fetch
_OF_OURS = {"label": [ATTEMPT_LABEL]}
_ENDED = ("exited", "dead", "stopped", "removing")
_ALREADY = (304, 409)  # it is started, or stopped, as was asked


class Engine:
    """A connection to an engine, for all threads.

    Every verb raises `EngineAway` when the engine does not answer and `EngineRefusal` when it says no, of which
    `NotThere` is one.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._own = threading.local()  # a client for each thread: sessions of requests are not to be shared
        self._clients: list[docker.APIClient] = []
        self._version = ""
        self._lines: int | str = 0

    def size(self) -> tuple[int, int]:
        """The processors and the bytes of memory that the engine's machine has."""
        with self._client() as client:
            info = client.info()
        return int(info.get("NCPU") or 0), int(info.get("MemTotal") or 0)

    def create(self, name: str, specification: Mapping[str, Any], platform: str = "") -> None:
        with self._client() as client:
            client.create_container_from_config(dict(specification), name, platform or None)

    def start(self, name: str) -> None:
        with self._client() as client:
            client.start(name)

    def inspect(self, name: str) -> Mapping[str, Any] | None:
        """What the engine knows of a container, or None when there is no such container."""
        try:
            with self._client() as client:
                return dict(client.inspect_container(name))
        except NotThere:
            return None

    def signal(self, name: str, signal: str) -> None:
        """Sends a signal to the first process of a container; nothing happens when it has ended."""
        try:
            with self._client() as client:
                client.kill(name, signal)
        except EngineRefusal as error:
            if not isinstance(error, NotThere) and error.status not in _ALREADY and "not running" not in error.words:
                raise

    def remove(self, name: str) -> None:
        """Removes a container with the volumes that have no name, running or not; nothing happens when it is gone."""
        try:
            with self._client() as client:
                client.remove_container(name, v=True, force=True)
        except EngineRefusal as error:
            if not isinstance(error, NotThere) and "already in progress" not in error.words:
                raise

    def log(self, name: str) -> Iterator[bytes]:
        """What a container printed, the last lines at least, in pieces: one line may be larger than memory."""
        with self._client() as client:
            most = self._most_lines(client)
            with closing(client.logs(name, stream=True, follow=False, tail=most)) as pieces:
                yield from pieces

    def _most_lines(self, client: docker.APIClient) -> int | str:
        """How many lines to ask for: of Podman all, whose last lines lack what was printed of the first in pieces."""
        if not self._lines:
            parts = {part["Name"] for part in client.version().get("Components") or ()}
            self._lines = "all" if "Podman Engine" in parts else LINES
        return self._lines

    def pull(self, image: str, platform: str, wanted: Callable[[], bool]) -> None:
        """Fetches an image, as long as it is wanted."""
        repository, tag = docker.utils.parse_repository_tag(image)
        with self._client() as client:
            for line in client.pull(repository, tag or "latest", stream=True, decode=True, platform=platform or None):
                if not wanted():
                    return
                if "error" in line:
                    raise EngineRefusal(str(line["error"]), 0)

    def running(self) -> Mapping[str, bool]:
        """All containers of ours by name, whichever run they are of, and whether each is running."""
        return {name: item["State"] not in _ENDED for name, item in self._ours()}

    def overdue(self, now: float) -> Mapping[str, bool]:
        """The containers of ours whose time is over, by name, and whether each is running."""
        return {
            name: item["State"] not in _ENDED
            for name, item in self._ours()
            if is_over((item["Labels"] or {}).get("expires"), now)
        }

    def _ours(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        with self._client() as client:
            found = client.containers(all=True, filters=_OF_OURS)
        for item in found:
            yield from ((name.lstrip("/"), item) for name in item["Names"])

    @contextmanager
    def events(self, seconds: float) -> Iterator[Iterator[Mapping[str, Any]]]:
        """What happens to containers, whoever made them, as it happens, for some time."""
        until = int(time.time() + seconds)
        with self._client() as client, closing(client.events(until=until, filters=_EVENTS, decode=True)) as stream:
            yield stream

    def signals_and_lacks(self, name: str, state: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the engine remembers of an ended container: ("kill", the signal's number) and ("oom", "")."""
        filters = {"type": ["container"], "container": [name], "event": ["kill", "oom"]}
        since, until = (_stamp(state[moment]) for moment in ("StartedAt", "FinishedAt"))
        with self._client() as client, closing(client.events(since, until, filters, decode=True)) as stream:
            return [(event["Action"], event["Actor"]["Attributes"].get("signal", "")) for event in stream]

    def close(self) -> None:
        for client in self._clients:
            client.close()

    @contextmanager
    def _client(self) -> Iterator[docker.APIClient]:
        try:
            yield self._client_of_thread()
        except NotFound as error:
            raise NotThere(_words(error), 404) from error
        except APIError as error:
            raise EngineRefusal(_words(error), error.status_code or 0) from error
        except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise away(self.address, str(error)) from error

    def _client_of_thread(self) -> docker.APIClient:
        if not hasattr(self._own, "client"):
            self._own.client = self._new_client()
            self._clients.append(self._own.client)
        return self._own.client

    def _new_client(self) -> docker.APIClient:
        known = docker.utils.kwargs_from_env(os.environ) | {"base_url": self.address}
        client = docker.APIClient(version=self._version or "auto", timeout=_TIMEOUT, **known)
        self._version = client.api_version
        return client


_EVENTS = {"type": ["container"]}  # of everybody: Podman hears nothing for a label without a value


def _words(error: APIError) -> str:
    words = error.explanation or str(error)
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)


def _stamp(moment: str) -> str:
    """An engine's time, such as 2026-11-21T03:37:52.248004832Z, in seconds as its API takes them."""
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    return f"{seconds:.0f}.{fraction[:9] or '0'}"
