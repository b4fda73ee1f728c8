"""Where the UI is: its address, and that of each deployment."""

import json
import os
from contextlib import suppress
from pathlib import Path

from platform_core.compute.processes import started_at
from platform_core.namespaces import Namespace
from platform_core.settings import Settings

PAGE = "/branches"  # the page that lists all deployments


def path_of(namespace: Namespace, own: Namespace) -> str:
    """The path below which a deployment is served, without a slash at its end; empty for the UI's own namespace."""
    return "" if namespace == own else f"/{namespace}"


def url_of(settings: Settings, namespace: Namespace) -> str:
    """Where a deployment is seen: in the UI that runs here, or would be if it were started."""
    running = _running(settings)
    address, own = running or (settings.ui, settings.namespace)
    return f"{address.rstrip('/')}{path_of(namespace, Namespace.parse(own))}/"


def report_path_of(namespace: Namespace) -> str:
    """Where what a branch did to the data is seen."""
    return f"{PAGE}/{namespace.slug}/report"


def note_address(settings: Settings, address: str) -> None:
    """Lets other commands know where this process serves the UI."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    told = {"address": address, "namespace": settings.namespace, "pid": os.getpid(), "began": started_at(os.getpid())}
    scratch.write_text(json.dumps(told))
    scratch.replace(path)


def _running(settings: Settings) -> tuple[str, str] | None:
    """The address of the UI that was started last and still runs, and its namespace."""
    with suppress(FileNotFoundError):
        told = json.loads(_path(settings).read_text())
        if told["began"] is not None and started_at(told["pid"]) == told["began"]:
            return told["address"], told["namespace"]
    return None


def _path(settings: Settings) -> Path:
    return settings.home / "ui.json"
