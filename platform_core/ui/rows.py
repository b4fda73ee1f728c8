"""What the page says of each deployment."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from platform_core.branches.spending import UNKNOWN, Spent, spent_on
from platform_core.catalog.catalog import Catalog
from platform_core.catalog.values import NamespaceRecord
from platform_core.errors import NamespaceError
from platform_core.instance import known_home
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import Settings
from platform_core.ui.address import path_of, report_path_of
from platform_core.ui.deployments import Deployments

FRESH = 10.0  # seconds for which what was asked of an instance holds


@dataclass(frozen=True)
class Work:
    """What a Dagster instance did: how many runs, and how the last one ended."""

    runs: int = 0
    last_status: str = ""
    last_at: float | None = None  # seconds since 1970


@dataclass(frozen=True)
class Row:
    """A deployment on the page.

    Args:
        link: where it is seen; empty where this process does not serve it.
        spent: what computing the versions took that it shows of its own.
        stored: their bytes.
        report: where what it did to the data is seen.
    """

    name: str
    namespace: str
    link: str
    state: str
    owner: str
    opened: datetime | None
    expires: datetime | None
    work: Work
    spent: Spent = UNKNOWN
    stored: int = 0
    report: str = ""


class Rows:
    """Asks the catalog and the Dagster instances of all deployments."""

    def __init__(self, settings: Settings, catalog: Catalog, own: dg.DagsterInstance, deployments: Deployments) -> None:
        self._settings, self._catalog, self._own, self._deployments = settings, catalog, own, deployments
        self._known: dict[Namespace, tuple[float, Work]] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Row]:
        """Production, the namespace of the UI where that is another one, and all branches by name."""
        own, branches = self._settings.writes_to, self._deployments.listed()
        known = {deployment.namespace for deployment, _ in branches}
        for namespace in dict.fromkeys([PRODUCTION, own]):
            if namespace not in known:
                yield self._row_without_branch(namespace)
        for deployment, record in branches:
            namespace, branch = deployment.namespace, deployment.branch
            versions = self._catalog.own_versions(namespace)
            yield Row(
                name=branch.git_branch,
                namespace=str(namespace),
                link=f"{path_of(namespace, own)}/" if record.closed_at is None else "",
                state=self._state(namespace, record),
                owner=record.owner,
                opened=record.created_at,
                expires=branch.expires_at,
                work=self._work(namespace),
                spent=spent_on(versions),
                stored=sum(version.bytes for version in versions),
                report=report_path_of(namespace),
            )

    def _row_without_branch(self, namespace: Namespace) -> Row:
        record = self._record(namespace)
        own = namespace == self._settings.writes_to
        return Row(
            name=namespace.name or str(namespace),
            namespace=str(namespace),
            link="/" if own else "",
            state="awake" if own else "served elsewhere",
            owner=record.owner if record else "",
            opened=record.created_at if record else None,
            expires=None,
            work=self._work(namespace),
        )

    def _record(self, namespace: Namespace) -> NamespaceRecord | None:
        try:
            return self._catalog.namespace(namespace)
        except NamespaceError:  # nothing was written there yet
            return None

    def _state(self, namespace: Namespace, record: NamespaceRecord) -> str:
        if record.closed_at is not None:
            return "half closed"
        return "awake" if self._deployments.awake(namespace) or namespace == self._settings.writes_to else "asleep"

    def _work(self, namespace: Namespace) -> Work:
        with self._lock:
            until, found = self._known.get(namespace, (0.0, Work()))
            if time.monotonic() > until:
                found = self._ask(namespace)
                self._known[namespace] = time.monotonic() + FRESH, found
            return found

    def _ask(self, namespace: Namespace) -> Work:
        if namespace == self._settings.writes_to:
            return _work_of(self._own)
        if (awake := self._deployments.awake(namespace)) is not None:
            return _work_of(awake.instance)
        if (home := known_home(self._settings, namespace)) is None:
            return Work()
        with dg.DagsterInstance.from_config(str(home)) as instance:
            return _work_of(instance)


def _work_of(instance: dg.DagsterInstance) -> Work:
    for record in instance.get_run_records(limit=1):
        status = record.dagster_run.status.value.lower()
        return Work(instance.get_runs_count(), status, record.create_timestamp.timestamp())
    return Work()
