"""`headrace daemon`: what ticks schedules and sensors and takes runs off the queue."""

import os
import sys
from pathlib import Path

import click

from platform_core.errors import SettingsError
from platform_core.settings import current_settings


@click.command()
@click.option(
    "--workspace",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the code servers are, if they are not to be started here.",
)
@click.option("--log-level", default="info", show_default=True, help="From which level on it prints.")
def daemon(workspace: Path | None, log_level: str) -> None:
    """Ticks schedules and sensors and takes runs off the queue, without the UI.

    On PostgreSQL any number of them may run, also on several machines: one leads, the others stand by and take over
    when nothing was heard of it for HEADRACE_DAEMON_LEASE seconds. On SQLite there is one.

    Example: HEADRACE_NAMESPACE=production headrace daemon --workspace /etc/headrace/workspace.yaml
    """
    settings = current_settings()
    servers = (workspace or settings.repository / "workspace.yaml").absolute()
    if not servers.is_file():
        raise SettingsError(f"{servers} does not exist; --workspace names the file that says where code servers are.")
    here = {"HEADRACE_REPOSITORY": str(settings.repository), "PYTHONPATH": str(settings.repository)}
    command = [sys.executable, "-m", "platform_core.daemon", "--workspace", str(servers), "--log-level", log_level]
    os.chdir(settings.repository)
    os.execve(command[0], command, {**os.environ, **here})
