"""Whether any machine of a cluster could ever take a pod. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from platform_core.compute.quantities import size_text

Node = dict[str, Any]

_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{prefix}i": 1024.0**power for power, prefix in enumerate("KMGTPE", start=1)
}
# Taints that come and go by themselves: such a machine is out of order for now, not the wrong one.
_PASSING = "node.kubernetes.io/"


def amount(quantity: str) -> float:
    """A quantity as Kubernetes writes it: `500m`, `4Gi`, `1e3`."""
    try:
        return float(quantity)
    except ValueError:
        digits = quantity.rstrip("inumkKMGTPE")
        return float(digits) * _UNITS[quantity[len(digits) :]]


def never_fits(pod_spec: Mapping[str, Any], nodes: Iterable[Node]) -> str:
    """Why no machine could take the pod even if it were empty; nothing when one could."""
    machines = list(nodes)
    chosen = [node for node in machines if _selected(pod_spec, node) and _tolerated(pod_spec, node)]
    if not chosen:
        return f"none of the {len(machines)} machines of the cluster is of the kind that its profile asks for"
    need = _needs(pod_spec)
    if any(not _missing(need, node) for node in chosen):
        return ""
    largest = {name: max(_has(node, name) for node in chosen) for name in need}
    short = [name for name in need if need[name] > largest[name]] or list(need)
    asked, most = (" and ".join(_text(name, of[name]) for name in short) for of in (need, largest))
    return f"it asks for {asked}, and the largest machines have {most}"


def _needs(pod_spec: Mapping[str, Any]) -> dict[str, float]:
    """What all containers of the pod ask for together."""
    needs: dict[str, float] = {}
    for container in pod_spec.get("containers") or ():
        for name, asked in ((container.get("resources") or {}).get("requests") or {}).items():
            needs[name] = needs.get(name, 0.0) + amount(asked)
    return needs


def _has(node: Node, name: str) -> float:
    return amount((node["status"].get("allocatable") or {}).get(name, "0"))


def _missing(need: Mapping[str, float], node: Node) -> bool:
    return any(asked > _has(node, name) for name, asked in need.items())


def _selected(pod_spec: Mapping[str, Any], node: Node) -> bool:
    labels = node["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in (pod_spec.get("nodeSelector") or {}).items())


def _tolerated(pod_spec: Mapping[str, Any], node: Node) -> bool:
    taints = [taint for taint in node.get("spec", {}).get("taints") or () if taint.get("effect") != "PreferNoSchedule"]
    lasting = [taint for taint in taints if not taint["key"].startswith(_PASSING)]
    return all(any(_allows(one, taint) for one in pod_spec.get("tolerations") or ()) for taint in lasting)


def _allows(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    effect = toleration.get("effect") in (None, "", taint.get("effect"))
    key = toleration.get("key") in (None, "", taint["key"])
    exists = toleration.get("operator") == "Exists"
    return effect and key and (exists or toleration.get("value", "") == taint.get("value", ""))


def _text(name: str, number: float) -> str:
    return f"{size_text(number)} of {name}" if name in ("memory", "ephemeral-storage") else f"{number:g} {name}"
