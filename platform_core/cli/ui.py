"""`headrace ui`: webserver, daemon and all locations with one command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click

from platform_core.cli.console import console
from platform_core.errors import SettingsError
from platform_core.instance import prepare_dagster_home
from platform_core.locations import all_locations
from platform_core.settings import current_settings

PATIENCE = 120  # seconds until the webserver has to answer


@click.command()
@click.option("--port", default=3000, show_default=True, help="The port on 127.0.0.1.")
def ui(port: int) -> None:
    """Starts the Dagster UI with its daemon and all locations, and prints the address as soon as it answers.

    Example: headrace ui --port 3100
    """
    for location in all_locations():
        location.require_environment()
    settings = current_settings()
    prepare_dagster_home(settings)
    process = subprocess.Popen(_command(port), cwd=settings.repository, env=_environment(settings.repository))
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        console.print(
            f"[green]✓[/] Headrace is up at [bold]{address}[/] in namespace [bold]{settings.namespace}[/]",
            highlight=False,
        )
        sys.exit(process.wait())
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        _stop(process)


def _command(port: int) -> list[str]:
    dagster = Path(sys.executable).parent / "dagster"
    if not dagster.is_file() or not dagster.with_name("dagster-webserver").is_file():
        raise SettingsError("dagster-webserver is not installed here; install it with: uv sync --locked --all-extras")
    options = ["--host", "127.0.0.1", "--port", str(port), "--workspace", "workspace.yaml", "--log-level", "warning"]
    return [str(dagster), "dev", *options]


def _environment(repository: Path) -> dict[str, str]:
    """Code servers take their settings from here, whatever folder they run in."""
    return {**os.environ, "HEADRACE_REPOSITORY": str(repository), "PYTHONPATH": str(repository)}


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise SettingsError(f"The UI did not answer at {address} within {PATIENCE} seconds; its log is above.")
        try:
            urlopen(f"{address}/server_info", timeout=2).close()
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise SettingsError(
        f"The UI ended with code {process.returncode} before it answered; its log is above. Is the port taken?"
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
