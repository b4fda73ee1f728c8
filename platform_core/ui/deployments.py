"""Which branch deployments there are, and which of them are awake."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

import dagster as dg

from platform_core.branches.deployment import Deployment
from platform_core.branches.opening import ready_code
from platform_core.catalog.branch_values import Branch
from platform_core.catalog.opening import open_catalog
from platform_core.catalog.values import NamespaceRecord
from platform_core.instance import known_home, remove_dagster_home
from platform_core.namespaces import Namespace
from platform_core.orchestrator.daemons import is_busy
from platform_core.settings import Settings
from platform_core.ui.awake import Awake
from platform_core.ui.empty import EmptyInstance
from platform_core.ui.production import ProductionAssets
from platform_core.ui.zygotes import Zygotes

EVERY = 1.0  # seconds between two looks at which branches there are

log = logging.getLogger("headrace")


class Deployments:
    """The branch deployments of a catalog. Each is woken by its first visit and put to sleep when nobody comes.

    Args:
        variables: the environment of their processes, beside each one's own settings.
        checkouts: held while code is made ready, for which this process changes its settings for a moment.
    """

    def __init__(
        self,
        settings: Settings,
        zygotes: Zygotes,
        production: ProductionAssets,
        *,
        empty: EmptyInstance,
        variables: Mapping[str, str],
        checkouts: threading.Lock,
    ) -> None:
        self._settings, self._zygotes, self._production = settings, zygotes, production
        self._empty, self._variables, self._checkouts = empty, variables, checkouts
        self._awake: dict[Namespace, tuple[Awake, tuple[int, str]]] = {}
        self._locks: dict[Namespace, threading.Lock] = {}
        self._seen: set[Namespace] = set()
        self._end = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="deployments", daemon=True)

    def start(self) -> None:
        """Begins to look after them."""
        self._watcher.start()

    def close(self) -> None:
        self._end.set()
        self._watcher.join()
        for namespace in list(self._awake):
            self._sleep(namespace)

    def listed(self) -> list[tuple[Deployment, NamespaceRecord]]:
        found = open_catalog(self._settings.catalog).branches()
        return [(Deployment(branch, self._settings), record) for branch, record in found]

    def awake(self, namespace: Namespace) -> Awake | None:
        """The deployment of a namespace, if it is awake."""
        return self._awake[namespace][0] if namespace in self._awake else None

    def wake(self, namespace: Namespace) -> Awake | None:
        """The same, awake now; None where there is no such deployment beside the UI's own namespace.

        Raises:
            HeadraceError: its code is not what can be served.
        """
        with self._lock(namespace):
            if (found := self.awake(namespace)) is not None:
                return found
            for deployment, record in self.listed() if namespace != self._settings.writes_to else ():
                if deployment.namespace == namespace and record.closed_at is None:
                    awake = self._wake(deployment)
                    self._awake[namespace] = awake, _mark(deployment.branch, record)
                    return awake
            return None

    def _wake(self, deployment: Deployment) -> Awake:
        def ready() -> None:
            with self._checkouts:
                ready_code(deployment, log.info)

        def production() -> Any:
            return self._production.of(deployment)

        return Awake(
            deployment,
            self._zygotes,
            variables=self._variables,
            empty=self._empty,
            ready=ready,
            production=production,
        )

    def _sleep(self, namespace: Namespace) -> None:
        with self._lock(namespace):
            if namespace in self._awake:
                awake, _ = self._awake.pop(namespace)
                awake.close()

    def _lock(self, namespace: Namespace) -> threading.Lock:
        return self._locks.setdefault(namespace, threading.Lock())

    def _watch(self) -> None:
        while not self._end.wait(EVERY):
            try:
                self.look()
            except Exception:  # a database that is away for a moment: what is awake stays so
                log.exception("The branch deployments could not be looked after.")

    def look(self) -> None:
        """Puts to sleep what is idle, lets go what was closed, and welcomes what is new."""
        found = {deployment.namespace: (deployment, record) for deployment, record in self.listed()}
        marks = {ns: _mark(one.branch, record) for ns, (one, record) in found.items() if record.closed_at is None}
        for namespace, (awake, mark) in list(self._awake.items()):
            if marks.get(namespace) != mark:
                self._let_go(namespace, namespace in found)
            elif awake.is_idle(self._settings.ui_idle):
                self._sleep(namespace)
        for namespace in marks.keys() - self._seen:
            self._welcome(found[namespace][0])
        self._seen = set(marks)

    def _let_go(self, namespace: Namespace, exists: bool) -> None:
        self._sleep(namespace)
        if not exists:  # its processes may have written once more after it was removed
            remove_dagster_home(self._settings, namespace)

    def _welcome(self, deployment: Deployment) -> None:
        """Gets ready for the first visit, and goes on with what an earlier UI was in the middle of."""
        if deployment.code.is_dir():
            self._production.prepare(deployment)
        if self._is_busy(deployment):
            self.wake(deployment.namespace)

    def _is_busy(self, deployment: Deployment) -> bool:
        if (home := known_home(self._settings, deployment.namespace)) is None:
            return False
        with dg.DagsterInstance.from_config(str(home)) as instance:
            return is_busy(instance)


def _mark(branch: Branch, record: NamespaceRecord) -> tuple[int, str]:
    """Another one when the branch was closed and opened again, or goes on with other code."""
    return record.since, branch.checkout
