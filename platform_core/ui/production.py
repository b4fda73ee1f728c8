"""The assets that production's code has, for Dagster's marks of what a branch added and changed."""

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import ExitStack
from typing import Any

import dagster as dg

from platform_core.access.context import Permitted
from platform_core.branches.deployment import Deployment
from platform_core.branches.git import merge_base
from platform_core.branches.worktrees import worktree_of
from platform_core.errors import HeadraceError
from platform_core.orchestrator.workspaces import served_workspace
from platform_core.ui.code import ServedCode, folder_for_sockets
from platform_core.ui.zygotes import Zygotes

PATIENCE = 20.0  # seconds that a page waits for its marks; later it has them when it is loaded again
KEPT = 8  # commits

log = logging.getLogger("headrace")


class ProductionAssets:
    """The assets of the commits at which branches parted from production.

    Args:
        variables: the environment of the processes that load them.
        checkouts: held while code is made ready, for which this process changes its settings for a moment.
    """

    def __init__(
        self, zygotes: Zygotes, instance: dg.DagsterInstance, variables: Mapping[str, str], checkouts: threading.Lock
    ) -> None:
        self._zygotes, self._instance, self._variables = zygotes, instance, variables
        self._checkouts = checkouts
        self._known: dict[str, Future[Any]] = {}
        self._work = ThreadPoolExecutor(max_workers=1, thread_name_prefix="production")

    def prepare(self, deployment: Deployment) -> "Future[Any] | None":
        """Begins to load what a branch is compared with, if nobody did; None where it has nothing in common with it."""
        commit = merge_base(deployment.code, "HEAD", deployment.settings.production_branch)
        if not commit:
            return None
        if commit not in self._known:
            while len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[commit] = self._work.submit(self._load, deployment, commit)
        return self._known[commit]

    def of(self, deployment: Deployment) -> Any:
        """The assets that a branch is compared with; None when they cannot be known, or not yet."""
        if (found := self.prepare(deployment)) is None:
            return None
        try:
            return found.result(PATIENCE)
        except NotYet:
            return None
        except HeadraceError as error:
            log.warning("What %s changed is not marked: %s", deployment.namespace, error)
            return None

    def close(self) -> None:
        self._work.shutdown(wait=True, cancel_futures=True)

    def _load(self, deployment: Deployment, commit: str) -> Any:
        with ExitStack() as stack:
            with self._checkouts:
                folder = stack.enter_context(worktree_of(deployment.settings, commit))
            here = {"HEADRACE_REPOSITORY": str(folder), "PYTHONPATH": str(folder)}
            sockets = stack.enter_context(folder_for_sockets())
            variables = {**self._variables, **deployment.variables, **here}
            code = ServedCode(self._zygotes, folder, variables, sockets)
            stack.callback(code.stop)
            code.start()
            code.wait()
            workspace = stack.enter_context(served_workspace(self._instance, code, Permitted))
            shown = workspace.create_request_context()
            for failed in shown.code_location_errors():
                raise HeadraceError(f"production's code at {commit[:12]} cannot be loaded: {failed.message.strip()}")
            return shown.asset_graph
