"""What the cluster's events say of Jobs and pods that do not get going. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from platform_core.compute.backends.kubernetes.explain import Look
from platform_core.compute.backends.kubernetes.sizes import amount

Event = dict[str, Any]

_QUOTA = re.compile(r"exceeded quota: (?P<name>[^,]+), requested: (?P<asked>.*), used: .*, limited: (?P<most>.*)$")
_AWAY = ("Preempted", "TaintManagerEviction", "Evicted", "NodeNotReady", "DeletingNode", "ScaleDown")


def newest(events: Iterable[Event]) -> dict[tuple[str, str], Event]:
    """The last warning of each thing, by its kind and name."""
    found = {}
    for event in sorted(events, key=_time):
        about = event.get("involvedObject") or {}
        found[about.get("kind", ""), about.get("name", "")] = event
    return found


def look_at_job(event: Event) -> Look | None:
    """Why a Job has no pod."""
    if event.get("reason") != "FailedCreate":
        return None
    return refused_by_cluster(str(event.get("message") or ""))


def look_at_pod(event: Event) -> Look | None:
    """Why a pod that has a machine does not start: a volume, its network."""
    if not str(event.get("reason") or "").startswith("Failed"):
        return None
    return Look(f"Its pod cannot be prepared: {_line(event.get('message') or '')}.", "any")


def refused_by_cluster(message: str) -> Look:
    """What the cluster says when it does not let something be created."""
    quota = _QUOTA.search(_line(message))
    if quota is None:
        return Look(f"The cluster does not let its pod be created: {_line(message)}.", "start")
    if never := _beyond(_amounts(quota["asked"]), _amounts(quota["most"])):
        return Look(f"It can never start: it asks for {never} that the quota '{quota['name']}' allows.", "none")
    return Look(
        f"It waits for the quota '{quota['name']}' of the Kubernetes namespace, which others use up:"
        f" it asks for {quota['asked']} of {quota['most']}."
    )


def taken_away(events: Iterable[Event]) -> str:
    """Who took a pod away, or nothing when no event says so."""
    said = [event for event in sorted(events, key=_time) if event.get("reason") in _AWAY]
    return f"{said[-1]['reason']}, {_line(said[-1].get('message') or '')}" if said else ""


def _amounts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _beyond(asked: Mapping[str, str], most: Mapping[str, str]) -> str:
    """What is asked beyond all that there is, as a phrase such as `4 of limits.cpu, which is more than the 2`."""
    for name, need in asked.items():
        if name in most and amount(need) > amount(most[name]):
            return f"{need} of {name}, which is more than the {most[name]}"
    return ""


def _time(event: Event) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _line(message: str) -> str:
    return " ".join(str(message).split()).rstrip(".")[:500]
