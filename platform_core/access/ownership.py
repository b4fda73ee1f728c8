"""Whose a deployment is, and whose each of its locations."""

import time
from functools import lru_cache

from platform_core.access.rights import Deployment
from platform_core.catalog.opening import open_catalog
from platform_core.errors import NamespaceError
from platform_core.locations import owners
from platform_core.namespaces import Namespace
from platform_core.settings import current_settings

BELIEVED = 5.0  # seconds for which an owner is not looked up again: a branch may be closed and opened by another


def deployment_of(namespace: Namespace) -> Deployment:
    """A deployment with its owners, of at most five seconds ago."""
    return _deployment(namespace, int(time.monotonic() / BELIEVED))


@lru_cache(maxsize=256)
def _deployment(namespace: Namespace, _moment: int) -> Deployment:
    return Deployment(namespace, _owner(namespace), owners())


def _owner(namespace: Namespace) -> str:
    """Who has opened a namespace; nobody, when it is closed or was never opened."""
    if namespace.is_production:
        return ""
    try:
        record = open_catalog(current_settings().catalog).namespace(namespace)
    except NamespaceError:
        return ""
    return "" if record.closed_at else record.owner
