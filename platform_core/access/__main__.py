"""`python -m platform_core.access`: the webserver of one deployment, for a server that many people use."""

import logging
import sys
from pathlib import Path

import click
import dagster as dg
import uvicorn

from platform_core.access.context import Permitted
from platform_core.access.decisions import write_decisions_to
from platform_core.access.scraping import with_metrics
from platform_core.access.settings import access_settings
from platform_core.access.webserver import GuardedWebserver
from platform_core.errors import HeadraceError
from platform_core.instance import prepare_dagster_home
from platform_core.logs import configure
from platform_core.orchestrator.workspaces import workspace_of_file
from platform_core.settings import current_settings

# What `dagster-webserver` takes: milliseconds of one database statement, seconds of a connection, connections more.
STATEMENT, RECYCLE, OVERFLOW = 15_000, 3_600, 20
POLL = 2_000  # milliseconds between two looks of an open page
LINGER = 5  # seconds that open pages may take to notice the end


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=3000, show_default=True)
@click.option(
    "--workspace", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=Path("workspace.yaml"),
    show_default=True, help="Where the code servers are.",
)  # fmt: skip
def main(host: str, port: int, workspace: Path) -> None:
    """Serves the UI of HEADRACE_NAMESPACE to those whom HEADRACE_ACCESS lets in. The daemon runs elsewhere."""
    configure()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        _serve(host, port, workspace)
    except HeadraceError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(2)


def _serve(host: str, port: int, workspace: Path) -> None:
    settings, access = current_settings(), access_settings()
    access.require_host(host)
    write_decisions_to(access.log_in(settings.home))
    home = prepare_dagster_home(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.optimize_for_webserver(STATEMENT, RECYCLE, OVERFLOW)
        with workspace_of_file(instance, workspace, Permitted) as process:
            ui = GuardedWebserver(process, settings.writes_to, live_data_poll_rate=POLL).create_asgi_app()
            app = with_metrics(ui, instance, settings, access)
            uvicorn.run(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=LINGER)


if __name__ == "__main__":
    main()
