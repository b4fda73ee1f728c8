"""`headrace metrics`: a server that tells Prometheus how a deployment does."""

import subprocess
import sys
from importlib.util import find_spec

import click

from platform_core.errors import SettingsError
from platform_core.settings import current_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=9464, show_default=True)
def metrics(host: str, port: int) -> None:
    """Serves metrics of the namespace at /metrics, where no UI runs that does so already. Ends with Ctrl-C.

    Beyond this machine it needs HEADRACE_ACCESS=oidc; Prometheus comes in with HEADRACE_METRICS_TOKEN.

    Example: HEADRACE_NAMESPACE=production headrace metrics --port 9464
    """
    if find_spec("prometheus_client") is None:
        raise SettingsError("prometheus-client is not installed here; install it with: uv sync --locked --all-extras")
    command = [sys.executable, "-m", "platform_core.access.scraping", "--host", host, "--port", str(port)]
    try:
        sys.exit(subprocess.run(command, check=False, cwd=current_settings().repository).returncode)
    except KeyboardInterrupt:
        sys.exit(0)
