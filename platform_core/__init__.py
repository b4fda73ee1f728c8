"""Headrace: a Dagster asset platform with namespaces, immutable versions and one road to production.

The names below are loaded when first used: the command line and dbt use parts of this package without Dagster.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_core.layers import fact, feature, model, prediction
    from platform_core.location import build_location
    from platform_core.namespaces import Namespace

__all__ = ["Namespace", "build_location", "fact", "feature", "model", "prediction"]

_HOME = {
    "Namespace": "namespaces",
    "build_location": "location",
    "fact": "layers",
    "feature": "layers",
    "model": "layers",
    "prediction": "layers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'platform_core' has no attribute '{name}'")
    return getattr(import_module(f"platform_core.{_HOME[name]}"), name)
