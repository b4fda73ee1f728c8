"""`headrace ui`: webserver, daemon and all locations with one command."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import click

from platform_core.cli.console import console
from platform_core.cli.trying import warm_processes
from platform_core.errors import SettingsError
from platform_core.instance import prepare_dagster_home
from platform_core.locations import all_locations
from platform_core.settings import current_settings
from platform_core.ui.address import PAGE

PATIENCE = 120  # seconds until the webserver has to answer, beyond what locations may take to load
GRACE = 20  # seconds for an orderly end


@click.command()
@click.option("--port", default=3000, show_default=True, help="The port on 127.0.0.1.")
def ui(port: int) -> None:
    """Starts the UI with its daemon and all locations, and prints the address as soon as it answers.

    Branch deployments are served beside it, each below its own path; /branches lists them all.

    Example: headrace ui --port 3100
    """
    for location in all_locations():
        location.require_environment()
    settings = current_settings()
    _require_free(port)
    prepare_dagster_home(settings)
    _end_as_by_control_c()
    environment = _environment(settings.repository)
    process = subprocess.Popen(_command(port), cwd=settings.repository, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, PATIENCE + settings.load_timeout)
        console.print(
            f"[green]✓[/] Headrace is up at [bold]{address}[/] in namespace [bold]{settings.namespace}[/];"
            f" all deployments are listed at {address}{PAGE}",
            highlight=False,
        )
        with warm_processes(all_locations()):  # for `headrace try`
            sys.exit(process.wait())
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        _stop(process)


def _require_free(port: int) -> None:
    """Refuses a taken port: another UI would answer on it, perhaps one of another namespace."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = error.strerror or error
            raise SettingsError(f"Port {port} cannot be used ({reason}); choose another one with --port.") from error


def _end_as_by_control_c() -> None:
    """Lets every way of ending this process end the UI too, also where a shell's `&` made it deaf to Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup wants it ignored
            signal.signal(number, signal.default_int_handler)


def _command(port: int) -> list[str]:
    if find_spec("dagster_webserver") is None:
        raise SettingsError("dagster-webserver is not installed here; install it with: uv sync --locked --all-extras")
    return [sys.executable, "-m", "platform_core.ui", str(port)]


def _environment(repository: Path) -> dict[str, str]:
    """Code servers take their settings from here, whatever folder they run in."""
    here = {"HEADRACE_REPOSITORY": str(repository), "PYTHONPATH": str(repository)}
    return {**os.environ, **here, "DAGSTER_IS_DEV_CLI": "1"}  # what `dagster dev` says, for libraries that ask


def _wait_for(address: str, process: "subprocess.Popen[bytes]", patience: float) -> None:
    deadline = time.monotonic() + patience
    direct = build_opener(ProxyHandler({}))  # a proxy for the world knows nothing of this machine
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise SettingsError(f"The UI did not answer at {address} within {patience:.0f} seconds; its log is above.")
        try:
            direct.open(f"{address}/server_info", timeout=2).close()
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise SettingsError(
        f"The UI ended with code {process.returncode} before it answered; its log is above. Is the port taken?"
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends the whole group as Ctrl-C does, then by force what is left: code servers outlive what started them."""
    deadline = time.monotonic() + GRACE
    _signal_group(process, signal.SIGINT)
    with suppress(KeyboardInterrupt):  # who asks twice waits no longer
        while _signal_group(process, 0) and time.monotonic() < deadline:
            time.sleep(0.1)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: "subprocess.Popen[bytes]", number: int) -> bool:
    """Whether anything was there to take the signal; 0 only asks."""
    process.poll()  # else its zombie would count
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
        return True
    return False
