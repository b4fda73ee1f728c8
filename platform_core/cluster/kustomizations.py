"""The kustomizations of a deployment in Kubernetes: one folder for the platform's part and one for each location.

Pure: a deployment in, texts by path out. What they stand on is `deploy/kubernetes/base`, written by hand.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from platform_core.kubernetes_names import (
    CODE_PORT,
    CONFIG_OF_RUNS,
    MANAGED,
    account_of,
    core_namespace,
    label_value,
    namespace_of,
    namespaces_of_locations,
)
from platform_core.namespaces import Namespace, slug

CORE, SERVER = "core", "platform"  # the folder; the location whose image, with the extra below, serves the UI
SERVER_EXTRAS = ("server",)
NAMESPACE_LABEL = "headrace/namespace"
_API = "kustomize.config.k8s.io/v1beta1"
_HEADER = "# Written by `headrace deploy kubernetes`; what is your own belongs into ../own and ../settings.\n"
# A location is part of what its things are chosen by, as several may be in one namespace.
_SELECTORS = {
    "Deployment": "spec/selector/matchLabels",
    "PodDisruptionBudget": "spec/selector/matchLabels",
    "Service": "spec/selector",
}

Texts = dict[str, str]
Tree = dict[str, Any]


@dataclass(frozen=True)
class ClusterDeployment:
    """What is deployed, and from which images.

    Args:
        owners: by location its team, in the order of workspace.yaml.
        images: by location the image of its code, `name:tag` or `name@sha256:…`; `server` is that of the UI.
        base: the way from the folder that is written to `deploy/kubernetes/base`.
        components: the ways to what is put over each part, from that folder.
    """

    namespace: Namespace
    owners: Mapping[str, str]
    images: Mapping[str, str]
    base: str = "../../base"
    components: Sequence[str] = ("own",)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def core(self) -> str:
        return core_namespace(self.namespace)

    def namespace_of(self, location: str) -> str:
        return namespace_of(location, namespaces_of_locations(self.namespace))


def production_texts(deployment: ClusterDeployment) -> Texts:
    """The files of a deployment below its folder, but for `settings` and `own`, which are the installation's."""
    parts = [CORE, *(slug(location) for location in deployment.owners)]
    texts = {"kustomization.yaml": _text({"resources": parts})}
    texts |= {f"{CORE}/kustomization.yaml": _text(_core(deployment)), f"{CORE}/workspace.yaml": _workspace(deployment)}
    for location in deployment.owners:
        texts[f"{slug(location)}/kustomization.yaml"] = _text(_location(deployment, location))
    return texts


def branch_texts(deployment: ClusterDeployment, production: str, settings: Mapping[str, str]) -> Texts:
    """The same for a branch, whose settings are production's but for some.

    Args:
        production: the way to production's folder.
    """
    literals = [f"{name}={value}" for name, value in settings.items()]
    merged = [{"name": name, "behavior": "merge", "literals": literals} for name in ("settings", CONFIG_OF_RUNS)]
    own = {"resources": [f"../{production}/settings"], "configMapGenerator": merged}
    return {**production_texts(deployment), "settings/kustomization.yaml": _text(own)}


def _core(deployment: ClusterDeployment) -> Tree:
    label = {"op": "add", "path": "/metadata/labels/headrace~1core", "value": deployment.core}
    return {
        "resources": [f"../{deployment.base}/namespace", f"../{deployment.base}/core", "../settings"],
        "components": _components(deployment),
        "namespace": deployment.core,
        "labels": [{"pairs": _labels(deployment), "includeTemplates": True}],
        "configMapGenerator": [{"name": "workspace", "files": ["workspace.yaml"]}],
        "images": [_image("server", deployment.images["server"])],
        "patches": [{"target": {"kind": "Namespace"}, "patch": json.dumps([label])}],
    }


def _location(deployment: ClusterDeployment, location: str) -> Tree:
    resources = [f"../{deployment.base}/location", "../settings"]
    if deployment.namespace_of(location) != deployment.core:
        resources.insert(0, f"../{deployment.base}/namespace")
    said = {**_labels(deployment), "headrace/location": label_value(location)}
    chosen = [{"kind": kind, "path": path, "create": True} for kind, path in _SELECTORS.items()]
    own = {"headrace/location": said["headrace/location"]}
    return {
        "resources": resources,
        "components": _components(deployment),
        "namespace": deployment.namespace_of(location),
        "nameSuffix": f"-{slug(location)}",
        "labels": [
            {"pairs": {**said, "headrace/owner": label_value(deployment.owners[location])}, "includeTemplates": True},
            {"pairs": own, "fields": chosen},
        ],
        "images": [_image("location", deployment.images[location])],
        "patches": _patches(deployment, location),
        "replacements": [_IMAGE_IS_KNOWN],
    }


# The code server tells whoever launches a run which image it is in.
_IMAGE_IS_KNOWN = {
    "source": {"kind": "Deployment", "fieldPath": "spec.template.spec.containers.[name=code].image"},
    "targets": [
        {
            "select": {"kind": "Deployment"},
            "fieldPaths": ["spec.template.spec.containers.[name=code].env.[name=IMAGE].value"],
        }
    ],
}


def _patches(deployment: ClusterDeployment, location: str) -> list[Tree]:
    env = {"name": "code", "env": [{"name": "LOCATION", "value": location}]}
    code = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "code"}}
    code |= {"spec": {"template": {"spec": {"containers": [env]}}}}
    subjects = [("start-runs", 0), ("end-runs", 0), ("end-runs", 1)]
    moved = [
        ({"kind": "RoleBinding", "name": name}, f"/subjects/{number}/namespace", deployment.core)
        for name, number in subjects
    ]
    selector = "/spec/ingress/0/from/0/namespaceSelector/matchLabels/headrace~1core"
    moved.append(({"kind": "NetworkPolicy", "name": "platform"}, selector, deployment.core))
    return [{"patch": json.dumps(code)}] + [
        {"target": target, "patch": json.dumps([{"op": "replace", "path": path, "value": value}])}
        for target, path, value in moved
    ]


def _workspace(deployment: ClusterDeployment) -> str:
    """Where webserver and daemon find the code servers."""
    servers = [
        {
            "grpc_server": {
                "host": f"{account_of('code', location)}.{deployment.namespace_of(location)}",
                "port": CODE_PORT,
                "location_name": location,
            }
        }
        for location in deployment.owners
    ]
    return _HEADER + yaml.safe_dump({"load_from": servers}, sort_keys=False)


def _components(deployment: ClusterDeployment) -> list[str]:
    return [f"../{way}" for way in deployment.components]


def _labels(deployment: ClusterDeployment) -> dict[str, str]:
    return {NAMESPACE_LABEL: label_value(str(deployment.namespace)), **MANAGED, **deployment.labels}


def _image(placeholder: str, image: str) -> dict[str, str]:
    name, at, digest = image.partition("@")
    if at:
        return {"name": placeholder, "newName": name, "digest": digest}
    name, _, tag = image.rpartition(":")
    return {"name": placeholder, "newName": name, "newTag": tag}


def _text(tree: Tree) -> str:
    whole = {"apiVersion": _API, "kind": "Kustomization", **tree}
    return _HEADER + yaml.safe_dump(whole, sort_keys=False, width=120)
