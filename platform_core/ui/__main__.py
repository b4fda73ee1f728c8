"""`python -m platform_core.ui PORT`: the process behind `headrace ui`."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import uvicorn
import yaml
from starlette.types import ASGIApp

from platform_core.access.context import Permitted
from platform_core.access.decisions import write_decisions_to
from platform_core.access.scraping import with_metrics
from platform_core.access.settings import access_settings
from platform_core.catalog.opening import open_catalog
from platform_core.instance import prepare_dagster_home
from platform_core.logs import configure, logged
from platform_core.orchestrator.workspaces import served_workspace
from platform_core.settings import Settings, current_settings
from platform_core.ui.address import note_address
from platform_core.ui.awake import OVERFLOW, RECYCLE, STATEMENT
from platform_core.ui.code import ServedCode, folder_for_sockets
from platform_core.ui.deployments import Deployments
from platform_core.ui.empty import EmptyInstance
from platform_core.ui.local_code import LocalCode
from platform_core.ui.production import ProductionAssets
from platform_core.ui.report import report_of
from platform_core.ui.rows import Rows
from platform_core.ui.site import Site
from platform_core.ui.webserver import webserver
from platform_core.ui.zygotes import Zygotes

HOST = "127.0.0.1"
LINGER = 2  # seconds that open pages may take to notice the end
LOOK = 1.0  # seconds between two looks at the daemon


def main(port: int) -> int:
    """Serves until it is asked to end. 1 when the daemon ended before."""
    configure()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    settings, access = current_settings(), access_settings()
    write_decisions_to(access.log_in(settings.home))
    home = prepare_dagster_home(settings)
    variables = dict(os.environ)  # before anything changes them for a moment
    with ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
        instance.optimize_for_webserver(STATEMENT, RECYCLE, OVERFLOW)
        folder = stack.enter_context(folder_for_sockets())
        local = LocalCode(instance, settings.repository / "workspace.yaml", folder, settings.load_timeout)
        stack.enter_context(local)
        daemon = stack.enter_context(_daemon(folder, local.specs))
        workspace = stack.enter_context(served_workspace(instance, local, Permitted))
        deployments = stack.enter_context(_deployments(settings, instance, folder, variables))
        rows = Rows(settings, open_catalog(settings.catalog), instance, deployments)
        report = partial(report_of, repository=settings.repository, variables=variables)
        site = Site(webserver(workspace, settings.writes_to), deployments, rows, report)
        note_address(settings, f"http://{HOST}:{port}")
        return _serve(with_metrics(site, instance, settings, access), port, daemon)


@contextmanager
def _daemon(folder: Path, servers: Sequence[Mapping[str, Any]]) -> Iterator["subprocess.Popen[bytes]"]:
    """What ticks schedules and sensors of the own namespace and takes its runs off the queue, or stands by for that."""
    workspace = folder / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [dict(server) for server in servers]}))
    command = [sys.executable, "-m", "platform_core.daemon", "--workspace", str(workspace), "--log-level", "warning"]
    process = subprocess.Popen(logged(command))
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _deployments(
    settings: Settings, instance: dg.DagsterInstance, folder: Path, variables: dict[str, str]
) -> Iterator[Deployments]:
    zygotes, checkouts = Zygotes(), threading.Lock()
    production = ProductionAssets(zygotes, instance, variables, checkouts)
    empty = EmptyInstance(folder, settings)
    deployments = Deployments(settings, zygotes, production, empty=empty, variables=variables, checkouts=checkouts)
    loading = ServedCode(zygotes, settings.repository, variables, folder)

    def prepare() -> None:
        empty.make()
        loading.learn()

    threading.Thread(target=prepare, name="prepare", daemon=True).start()
    deployments.start()
    try:
        yield deployments
    finally:
        deployments.close()
        production.close()
        zygotes.close()


def _serve(site: ASGIApp, port: int, daemon: "subprocess.Popen[bytes]") -> int:
    config = uvicorn.Config(
        site, host=HOST, port=port, log_level="warning", lifespan="off", timeout_graceful_shutdown=LINGER
    )
    server = uvicorn.Server(config)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK):
            if daemon.poll() is not None:
                print(f"The Dagster daemon ended with code {daemon.returncode}; its log is above.", file=sys.stderr)
                server.should_exit = True
                return

    threading.Thread(target=watch, name="daemon", daemon=True).start()
    try:
        with suppress(KeyboardInterrupt):  # uvicorn ends in order, and then raises it again
            server.run()
    finally:
        ended.set()
    return 0 if daemon.poll() is None else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
