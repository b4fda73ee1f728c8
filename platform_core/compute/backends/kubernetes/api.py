"""The few calls of the Kubernetes API that steps need, as plain dictionaries: models cost more than all the rest."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from kubernetes import client

Thing = dict[str, Any]

GONE = 410
WATCH_SECONDS = 60  # then the server ends a watch; the next one goes on where it ended
_TIMEOUTS = (5, 30)  # seconds to connect, and between two pieces of an answer
_CONNECTIONS = 16
_PAGE = 500
_LOG_LINES = 200
_LOG_BYTES = 32 * 1024


class ApiError(Exception):
    """The API refused a call, or did not answer (then `status` is 0)."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    @property
    def is_final(self) -> bool:
        """Whether the same call cannot do better later."""
        return self.status in (400, 401, 403, 404, 405, 413, 422)


@dataclass(frozen=True)
class Cluster:
    """Where the API is. Nothing said: this pod's own cluster, or what `KUBECONFIG` names."""

    kubeconfig: str = ""
    context: str = ""

    def connect(self) -> "client.ApiClient":
        """A client with credentials; the cluster is not asked anything yet.

        Raises:
            ApiError: there are no credentials.
        """
        from kubernetes import client, config

        configuration = client.Configuration()
        try:
            if self._is_ours:
                config.load_incluster_config(client_configuration=configuration)
            else:
                path = self.kubeconfig or os.environ.get("KUBECONFIG") or None
                config.load_kube_config(path, self.context or None, client_configuration=configuration)
        except config.ConfigException as error:
            raise ApiError(401, f"there are no credentials for a cluster: {error}") from error
        configuration.retries = False  # who calls knows better when to try again
        configuration.connection_pool_maxsize = _CONNECTIONS
        return client.ApiClient(configuration)

    @property
    def _is_ours(self) -> bool:
        said = self.kubeconfig or self.context or os.environ.get("KUBECONFIG")
        return not said and "KUBERNETES_SERVICE_HOST" in os.environ


class Api:
    """The calls. Each may raise `ApiError`, and each may be used from any thread. `calls` counts them."""

    def __init__(self, connected: "client.ApiClient") -> None:
        from kubernetes import client

        self._batch = client.BatchV1Api(connected)
        self._core = client.CoreV1Api(connected)
        self.calls = 0

    def create_job(self, namespace: str, manifest: Thing) -> Thing:
        return self._json(self._batch.create_namespaced_job, namespace, manifest)

    def create_secret(self, namespace: str, manifest: Thing) -> Thing:
        return self._json(self._core.create_namespaced_secret, namespace, manifest)

    def job(self, namespace: str, name: str) -> Thing:
        return self._json(self._batch.read_namespaced_job, name, namespace)

    def jobs(self, namespace: str, selector: str) -> list[Thing]:
        return self._all(self._batch.list_namespaced_job, namespace, label_selector=selector)[0]

    def pods(self, namespace: str, selector: str) -> tuple[list[Thing], str]:
        """The pods, and the version of the list, from which on a watch tells what is new."""
        return self._all(self._core.list_namespaced_pod, namespace, label_selector=selector)

    def delete_jobs(self, namespace: str, selector: str) -> None:
        """Deletes Jobs, each of which stays until the last of its pods is gone."""
        body = {"propagationPolicy": "Foreground"}
        self._json(self._batch.delete_collection_namespaced_job, namespace, label_selector=selector, body=body)

    def events(self, namespace: str, selector: str) -> list[Thing]:
        """The cluster's events, such as those with `type=Warning` or `involvedObject.name=...`."""
        return self._all(self._core.list_namespaced_event, namespace, field_selector=selector)[0]

    def nodes(self) -> list[Thing]:
        return self._all(self._core.list_node)[0]

    def log(self, namespace: str, pod: str, container: str) -> str:
        """The last lines that a container printed, whatever bytes they are made of."""
        with self._call(
            self._core.read_namespaced_pod_log, pod, namespace, container=container, tail_lines=_LOG_LINES
        ) as answer:
            kept: deque[bytes] = deque(maxlen=2)
            for piece in answer.stream(_LOG_BYTES):
                kept.append(piece)
            return b"".join(kept)[-_LOG_BYTES:].decode(errors="replace")

    @contextmanager
    def watch_pods(self, namespace: str, selector: str, version: str) -> Iterator["Watching"]:
        """What happens to pods from a version on, for about a minute."""
        with self._call(
            self._core.list_namespaced_pod,
            namespace,
            label_selector=selector,
            resource_version=version,
            allow_watch_bookmarks=True,
            timeout_seconds=WATCH_SECONDS,
            watch=True,
            _request_timeout=(_TIMEOUTS[0], WATCH_SECONDS + 15),  # a dead connection says nothing at all
        ) as answer:
            yield Watching(answer)

    def _json(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Thing:
        with self._call(call, *arguments, **named) as answer:
            return dict(json.loads(answer.data))

    def _all(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[list[Thing], str]:
        """All pages of a list, and its version."""
        page = self._json(call, *arguments, limit=_PAGE, **named)
        items = list(page.get("items") or ())
        while following := page["metadata"].get("continue"):
            page = self._json(call, *arguments, limit=_PAGE, _continue=following, **named)
            items.extend(page.get("items") or ())
        return items, str(page["metadata"].get("resourceVersion") or "")

    @contextmanager
    def _call(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Iterator[urllib3.HTTPResponse]:
        from kubernetes.client import ApiException

        self.calls += 1
        try:
            answer = call(*arguments, **{"_preload_content": False, "_request_timeout": _TIMEOUTS} | named)
            try:
                yield answer
            finally:
                answer.close()  # a watch in the middle of its stream cannot be used again
        except ApiException as error:
            raise _as_ours(error.status, error.body, str(error.reason)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, f"{type(error).__name__}: {error}") from error


class Watching:
    """A running watch: iterate over it for its events as (type, object)."""

    def __init__(self, answer: urllib3.HTTPResponse) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[tuple[str, Thing]]:
        for line in self._answer:
            if line.strip():
                event = _event(line)
                if event["type"] == "ERROR":
                    told = event["object"]
                    raise ApiError(int(told.get("code") or 0), str(told.get("message") or ""))
                yield event["type"], event["object"]

    def stop(self) -> None:
        """Ends the iteration, from any thread."""
        self._answer.shutdown()


def _event(line: bytes) -> Thing:
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise ApiError(0, "the watch broke off in the middle of a line") from error


def _as_ours(status: int, body: str | bytes | None, reason: str) -> ApiError:
    try:
        told = json.loads(body or "")
    except ValueError:
        told = {}
    return ApiError(status or 0, str(told.get("message") or reason), str(told.get("reason") or ""))
