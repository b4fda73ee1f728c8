"""What things are called in Kubernetes: manifests, the launcher of runs and branches agree on it here."""

import hashlib
import re

from platform_core.namespaces import Namespace, slug

SECRET = "headrace"  # in each Kubernetes namespace, made by whoever runs the installation
CONFIG_OF_RUNS, IMAGES = "settings-of-runs", "images"
MANAGED = {"app.kubernetes.io/managed-by": "headrace"}
CODE_PORT = 4000
_PRODUCTION = "headrace"
_LABEL_LIMIT = 63
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def label_value(text: str) -> str:
    """The text, or where Kubernetes would not take it, a legible part of it and a hash: two texts never share one."""
    if _LABEL.fullmatch(text) or not text:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    words = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[: _LABEL_LIMIT - 9].strip("-")
    return f"{words}-{digest}" if words else f"x-{digest}"


def core_namespace(namespace: Namespace) -> str:
    """The Kubernetes namespace of webserver and daemon; a branch has everything in one."""
    return _PRODUCTION if namespace.is_production else f"{_PRODUCTION}-{namespace.slug}"


def namespaces_of_locations(namespace: Namespace) -> str:
    """What HEADRACE_RUNS_NAMESPACE says: in production each team has its own, as who may make a Job there may have all
    that is in it."""
    return f"{_PRODUCTION}-{{location}}" if namespace.is_production else core_namespace(namespace)


def namespace_of(location: str, pattern: str) -> str:
    return pattern.replace("{location}", slug(location))


def account_of(kind: str, location: str) -> str:
    """The name of something that each location has one of."""
    return f"{kind}-{slug(location)}"
