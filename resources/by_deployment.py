"""Which resources each deployment uses: one table, read from left to right."""

from collections.abc import Mapping
from typing import Any, Literal

from platform_core.io_manager import HeadraceIOManager
from platform_core.settings import current_settings
from resources.notifier import AppriseNotifier, LogNotifier
from resources.sources import SourceFiles
from resources.warehouse import warehouse_here

Deployment = Literal["local", "branch", "production"]

# resource       local                 branch                production
_TABLE: Mapping[str, tuple[Any, Any, Any]] = {
    "io_manager":   (HeadraceIOManager,    HeadraceIOManager,    HeadraceIOManager),
    "notifier":     (LogNotifier,          LogNotifier,          AppriseNotifier),
    "source_files": (SourceFiles,          SourceFiles,          SourceFiles),
    "warehouse":    (warehouse_here,       warehouse_here,       warehouse_here),
}  # fmt: skip
_COLUMN: Mapping[Deployment, int] = {"local": 0, "branch": 1, "production": 2}


def current_deployment() -> Deployment:
    """Follows from the namespace that this process writes to."""
    kind = current_settings().writes_to.kind
    return "local" if kind == "user" else kind


def shared_resources() -> dict[str, Any]:
    """The resources of the deployment that this process belongs to, by the name that assets ask for."""
    column = _COLUMN[current_deployment()]
    return {name: factories[column]() for name, factories in _TABLE.items()}
