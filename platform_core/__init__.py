"""Headrace: a Dagster asset platform with namespaces, immutable versions and one road to production.

The names below are loaded when first used: the command line and dbt use parts of this package without Dagster.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_core.checks.audits.drift import drift
    from platform_core.checks.audits.gate import gate
    from platform_core.checks.audits.volume import volume
    from platform_core.checks.point_in_time import point_in_time_join
    from platform_core.checks.replay import EventTime, Known
    from platform_core.compute.spec import Compute
    from platform_core.layers import fact, feature, model, prediction
    from platform_core.location import build_location
    from platform_core.namespaces import Namespace
    from platform_core.notebooks.declaring import notebook
    from platform_core.tracking.record import log_figure, log_metric, log_params

__all__ = [
    "Compute",
    "EventTime",
    "Known",
    "Namespace",
    "build_location",
    "drift",
    "fact",
    "feature",
    "gate",
    "log_figure",
    "log_metric",
    "log_params",
    "model",
    "notebook",
    "point_in_time_join",
    "prediction",
    "volume",
]

_HOME = {
    "Compute": "compute.spec",
    "EventTime": "checks.replay",
    "Known": "checks.replay",
    "Namespace": "namespaces",
    "build_location": "location",
    "drift": "checks.audits.drift",
    "fact": "layers",
    "feature": "layers",
    "gate": "checks.audits.gate",
    "log_figure": "tracking.record",
    "log_metric": "tracking.record",
    "log_params": "tracking.record",
    "model": "layers",
    "notebook": "notebooks.declaring",
    "point_in_time_join": "checks.point_in_time",
    "prediction": "layers",
    "volume": "checks.audits.volume",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'platform_core' has no attribute '{name}'")
    return getattr(import_module(f"platform_core.{_HOME[name]}"), name)
