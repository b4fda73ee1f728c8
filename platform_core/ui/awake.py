"""A branch deployment that is being looked at: its code servers, its daemon, its Dagster instance, its UI."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import dagster as dg
from starlette.types import ASGIApp

from platform_core.access.context import Permitted
from platform_core.branches.deployment import Deployment
from platform_core.branches.read_through import tell_of_production
from platform_core.catalog.opening import open_catalog
from platform_core.orchestrator.daemons import is_busy
from platform_core.orchestrator.workspaces import served_workspace
from platform_core.ui.code import ServedCode, folder_for_sockets
from platform_core.ui.empty import EmptyInstance
from platform_core.ui.webserver import webserver
from platform_core.ui.zygotes import Zygotes

STATEMENT, RECYCLE, OVERFLOW = 15_000, 3600, 20  # what `dagster-webserver` tells a PostgreSQL pool: ms, s, connections


log = logging.getLogger("headrace")


class Awake:
    """Serves a branch deployment until it is closed.

    Args:
        variables: the environment of its processes, beside the branch's own settings.
        empty: what its Dagster instance is at first.
        ready: makes its code ready; called before a code server is started.
        production: gives the assets that its own are compared with, or None where nobody knows them.
    """

    def __init__(
        self,
        deployment: Deployment,
        zygotes: Zygotes,
        *,
        variables: Mapping[str, str],
        empty: EmptyInstance,
        ready: Callable[[], None],
        production: Callable[[], Any],
    ) -> None:
        self._users, self._used = 0, time.monotonic()
        with ExitStack() as stack:
            ready()
            home = self._home = empty.give(deployment.namespace, deployment.code)
            environment = {**variables, **deployment.variables, "DAGSTER_HOME": str(home)}
            sockets = stack.enter_context(folder_for_sockets())
            self.code = ServedCode(zygotes, deployment.code, environment, sockets, ready)
            stack.callback(self.code.stop)
            self.code.start()
            self.instance = dg.DagsterInstance.from_config(str(home))
            stack.callback(self.instance.dispose)
            self.instance.optimize_for_webserver(STATEMENT, RECYCLE, OVERFLOW)
            self.code.wait()
            workspace = served_workspace(self.instance, self.code, Permitted, production)
            stack.enter_context(workspace)
            self.app: ASGIApp = webserver(workspace, deployment.namespace, f"/{deployment.namespace}")
            # Before the daemon, whose automation would compute what it takes for missing.
            begun = threading.Thread(target=self._begin, args=(deployment, str(home)), name=f"begin {home.name}")
            stack.callback(begun.join)
            begun.start()
            self._stack = stack.pop_all()

    def _begin(self, deployment: Deployment, home: str) -> None:
        """Tells the instance of production, on connections of its own, and starts the daemon."""
        try:
            with dg.DagsterInstance.from_config(home) as instance:
                tell_of_production(instance, open_catalog(deployment.settings.catalog), deployment.namespace)
        except Exception:  # the branch works without
            log.exception("What %s reads from production could not be told to its instance.", deployment.namespace)
        self.code.start_daemon()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While somebody waits for an answer."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            self._used = time.monotonic()

    @property
    def is_gone(self) -> bool:
        """Whether the branch was closed, and with it what is served here."""
        return not self._home.is_dir()

    def is_idle(self, seconds: float) -> bool:
        """Whether nobody has asked for a while, and nothing goes on that an end would interrupt."""
        return not self._users and time.monotonic() - self._used > seconds and not is_busy(self.instance)

    def close(self) -> None:
        """Ends its processes; runs that were launched go on."""
        self._stack.close()
