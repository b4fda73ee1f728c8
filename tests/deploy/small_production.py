"""A small production for a cluster whose node is this machine: repository, settings, and what it has otherwise."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from platform_core.kubernetes_names import namespaces_of_locations
from platform_core.namespaces import PRODUCTION
from tests.platform_core.compute.support.cluster import HOST, IS_BARE
from tests.platform_core.compute.support.images import IMAGE, LIBRARIES, REPOSITORY

API_PORT, METRICS_PORT = 6443, 9464  # that of Kubernetes; that of what tells Prometheus
IMAGES = "localhost/headrace-story"
OWNERS = {"flights": "team:flight-operations", "platform": "team:platform"}

DEFINITIONS = """
import os

from code_locations.{name} import assets
from platform_core import build_location
from platform_core.compute.placement import ComputeTable
from platform_core.compute.profiles import Profile
from resources.by_deployment import shared_resources


def _cluster():
    from platform_core.compute.backends.kubernetes.backend import KubernetesBackend

    account = os.environ["HEADRACE_KUBERNETES_SERVICE_ACCOUNT"]
    namespace = os.environ["HEADRACE_KUBERNETES_NAMESPACE"]
    return KubernetesBackend("{image}", namespace=namespace, service_account=account)


table = ComputeTable(
    default="kubernetes",
    profiles={{"default": Profile(options={options!r}, variables={variables!r})}},
    backends={{"kubernetes": _cluster}},
)
defs = build_location("{name}", [assets], resources=shared_resources(), compute=table)
"""
ASSETS = '''
"""Numbers, for tests."""

import time

import polars as pl

from platform_core import Compute, fact


@fact(compute=Compute(cpu=0.3))
def numbers() -> pl.DataFrame:
    """A few numbers, after a while."""
    time.sleep(25)
    return pl.DataFrame({"number": [1, 2, 3]})
'''


@dataclass
class Places:
    """Folders of this machine that pods see where they are here."""

    folder: Path

    @property
    def shared(self) -> Path:
        """What pods may write to, in the place of S3."""
        return self.folder / "shared"

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def overlay(self) -> Path:
        return self.repository / "deploy" / "kubernetes" / "overlays" / "production"


def write_repository(one: Places) -> None:
    """Two small locations, and production's folder, in which `own` is what this cluster needs besides."""
    root = one.repository
    for name in ("platform_core", "resources"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(REPOSITORY / name)
    shutil.copy(REPOSITORY / "dagster.yaml", root)
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    (root / "deploy" / "images").mkdir(parents=True)
    shutil.copy(REPOSITORY / "deploy" / "images" / "Dockerfile", root / "deploy" / "images")
    shutil.copy(REPOSITORY / ".gitignore", root)
    modules = []
    for name in OWNERS:
        _write_location(one, root / "code_locations" / name)
        place = {"module_name": f"code_locations.{name}.definitions", "location_name": name}
        modules.append({"python_module": {**place, "executable_path": f"code_locations/{name}/.venv/bin/python"}})
    (root / "code_locations" / "__init__.py").touch()
    (root / "workspace.yaml").write_text(yaml.safe_dump({"load_from": modules}))
    shutil.copytree(REPOSITORY / "deploy" / "kubernetes", root / "deploy" / "kubernetes")
    _write_settings(one)


def _write_location(one: Places, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "assets.py").write_text(ASSETS)
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(REPOSITORY / "code_locations" / folder.name / name, folder)
    names = {"volumes": _volumes(one), "volume_mounts": _mounts(one)}
    (folder / "definitions.py").write_text(
        DEFINITIONS.format(name=folder.name, image=IMAGE, options=names, variables=_python(one))
    )


def _write_settings(one: Places) -> None:
    env = [{"name": name, "value": value} for name, value in {**_python(one), **_way_to_api()}.items()]
    pod = {
        "container_config": {"env": env, "volume_mounts": _mounts(one)},
        "pod_spec_config": {"host_aliases": _aliases(), "volumes": _volumes(one)},
    }
    settings = {
        "HEADRACE_STORE": str(one.shared / "store"),
        "HEADRACE_IMAGES": IMAGES,
        "HEADRACE_NAMESPACE": "production",
        "HEADRACE_SOURCES": str(one.shared / "sources"),
        "HEADRACE_REPOSITORY": str(one.repository),
        "HEADRACE_RUNS": "kubernetes",
        "HEADRACE_RUNS_NAMESPACE": namespaces_of_locations(PRODUCTION),
        "HEADRACE_RUNS_POD": json.dumps(pod),
        "HEADRACE_ACCESS": "oidc",
        "HEADRACE_ACCESS_ISSUER": "https://idp.test",
        "HEADRACE_ACCESS_AUDIENCE": "headrace",
        "HEADRACE_ACCESS_KEYS": str(one.shared / "keys.json"),
        "HEADRACE_ACCESS_ROLES": '{"pilots": ["production"]}',
    }
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    (one.overlay / "settings" / "settings.env").write_text(lines)
    _write_own(one, env)


def _way_to_api() -> dict[str, str]:
    there = {"KUBERNETES_SERVICE_HOST": "kubernetes.default.svc", "KUBERNETES_SERVICE_PORT": str(API_PORT)}
    return there if IS_BARE else {}


def _aliases() -> list[Any]:
    return [{"ip": HOST, "hostnames": ["kubernetes.default.svc"]}] if IS_BARE else []


def _write_own(one: Places, env: list[dict[str, str]]) -> None:
    spec = "/spec/template/spec"
    at_end = [("volumes", volume) for volume in _volumes(one)]
    at_end += [("containers/0/volumeMounts", mount) for mount in _mounts(one)]
    at_end += [("containers/0/env", variable) for variable in env]
    patch: list[dict[str, Any]] = [
        {"op": "add", "path": f"{spec}/{where}/-", "value": value} for where, value in at_end
    ]
    patch += [{"op": "add", "path": f"{spec}/hostAliases", "value": _aliases()}]
    patch += [{"op": "add", "path": f"{spec}/terminationGracePeriodSeconds", "value": 2}]
    component: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    everywhere = {"target": {"kind": "Deployment"}, "patch": json.dumps(patch)}
    component |= {"patches": [everywhere, *_shares(), *_others(one), _UNRESTRICTED]}
    (one.overlay / "own" / "kustomization.yaml").write_text(yaml.safe_dump(component))


def _shares() -> list[dict[str, Any]]:
    """Two processors for two deployments, a run and a step; who loads code first has most of them."""
    path, shares = (
        "/spec/template/spec/containers/0/resources/requests/cpu",
        {"code": "300m", "webserver|daemon": "75m"},
    )
    return [
        {
            "target": {"kind": "Deployment", "name": name},
            "patch": json.dumps([{"op": "replace", "path": path, "value": share}]),
        }
        for name, share in shares.items()
    ]


# Repository and libraries are folders of the machine here, which no pod may see in production.
_UNRESTRICTED = {
    "target": {"kind": "Namespace"},
    "patch": json.dumps(
        [{"op": "replace", "path": "/metadata/labels/pod-security.kubernetes.io~1enforce", "value": "privileged"}]
    ),
}


def _others(one: Places) -> list[dict[str, Any]]:
    """Where code servers are found, and a cluster from before 1.21, which has budgets under another version."""
    routed = ["--workspace", f"{one.shared}/$(HEADRACE_NAMESPACE)/workspace.yaml"]
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": routed}]
    older = json.dumps([{"op": "replace", "path": "/apiVersion", "value": "policy/v1beta1"}])
    budgets = {"target": {"kind": "PodDisruptionBudget"}, "patch": older, "options": {"allowKindChange": True}}
    names = {"target": {"kind": "Deployment", "name": "webserver|daemon"}, "patch": json.dumps(patch)}
    return ([names] if IS_BARE else []) + ([] if _is_known("policy/v1") else [budgets])


def _python(one: Places) -> dict[str, str]:
    return {"PYTHONPATH": f"{one.repository}:{LIBRARIES}", "PYTHONDONTWRITEBYTECODE": "1"}


def _places(one: Places) -> dict[str, tuple[Path, bool]]:
    return {
        "platform": (REPOSITORY, True),
        "libraries": (LIBRARIES, True),
        "repository": (one.repository, True),
        "shared": (one.shared, False),
    }


def _volumes(one: Places) -> list[dict[str, Any]]:
    return [{"name": name, "hostPath": {"path": str(path)}} for name, (path, _) in _places(one).items()]


def _mounts(one: Places) -> list[dict[str, Any]]:
    return [
        {"name": name, "mountPath": str(path), "readOnly": read_only}
        for name, (path, read_only) in _places(one).items()
    ]


def _is_known(version: str) -> bool:
    done = subprocess.run(["kubectl", "api-versions"], capture_output=True, text=True, check=True)
    return version in done.stdout.split()
