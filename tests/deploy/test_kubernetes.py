"""Production's manifests: built by kustomize, for exactly the locations that there are, and narrow."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform_core.access.settings import AccessSettings
from platform_core.cluster.kubectl import Kubectl
from platform_core.cluster.kustomizations import ClusterDeployment, branch_texts
from platform_core.cluster.production import FOLDER, pinned, texts_with
from platform_core.instance_settings import InstanceSettings
from platform_core.kubernetes_names import core_namespace, namespaces_of_locations
from platform_core.locations import owners
from platform_core.namespaces import PRODUCTION, Namespace
from platform_core.settings import Settings
from resources.compute import ComputeSettings
from tests.repository.tree import ROOT, locations

LOCATIONS = sorted(locations())
PART = {"core": ("webserver", "daemon", "metrics")} | {name: (f"code-{name}",) for name in LOCATIONS}
Thing = dict[str, Any]


@pytest.fixture(autouse=True)
def _in_this_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))


@pytest.fixture(scope="module")
def built() -> list[Thing]:
    return things(ROOT / FOLDER)


def things(folder: Path) -> list[Thing]:
    if not shutil.which("kubectl"):
        pytest.skip("there is no kubectl: no manifest was built")
    return list(yaml.safe_load_all(Kubectl().built(folder)))


def of_kind(found: list[Thing], kind: str) -> dict[tuple[str, str], Thing]:
    """By namespace and name."""
    return {
        (thing["metadata"].get("namespace", ""), thing["metadata"]["name"]): thing
        for thing in found
        if thing["kind"] == kind
    }


def pods(found: list[Thing]) -> Iterator[tuple[str, Thing]]:
    for (_, name), deployment in of_kind(found, "Deployment").items():
        yield name, deployment["spec"]["template"]["spec"]


def test_the_folder_is_what_the_command_writes_for_the_locations_there_are():
    """After a new location: headrace deploy kubernetes."""
    folder = ROOT / FOLDER
    wanted = texts_with(pinned(folder))
    assert {path: (folder / path).read_text() for path in wanted} == wanted
    own = {"settings", "own"}
    assert {path.name for path in folder.iterdir() if path.is_dir()} - own == {
        path.split("/")[0] for path in wanted if "/" in path
    }


def test_there_are_the_platform_s_processes_and_a_code_server_for_each_location(built: list[Thing]):
    needed = {("headrace", "webserver"), ("headrace", "daemon")}
    needed |= {(f"headrace-{name}", f"code-{name}") for name in LOCATIONS}
    assert set(of_kind(built, "Deployment")) == needed | {("headrace", "metrics")}
    assert set(of_kind(built, "PodDisruptionBudget")) == needed
    (workspace,) = [thing for (_, name), thing in of_kind(built, "ConfigMap").items() if name.startswith("workspace")]
    servers = [one["grpc_server"] for one in yaml.safe_load(workspace["data"]["workspace.yaml"])["load_from"]]
    assert {one["location_name"] for one in servers} == set(LOCATIONS)
    services = of_kind(built, "Service")
    for server in servers:
        name, _, space = server["host"].partition(".")
        assert services[space, name]["spec"]["ports"][0]["port"] == server["port"]


def test_a_drained_machine_takes_neither_all_webservers_nor_all_daemons(built: list[Thing]):
    for name in ("webserver", "daemon"):
        told = of_kind(built, "Deployment")["headrace", name]["spec"]
        assert (told["replicas"], told["strategy"]["rollingUpdate"]["maxUnavailable"]) == (2, 0)
        assert of_kind(built, "PodDisruptionBudget")["headrace", name]["spec"]["minAvailable"] == 1


def test_metrics_are_told_by_one_process_which_counts_for_itself(built: list[Thing]):
    told = of_kind(built, "Deployment")["headrace", "metrics"]["spec"]
    assert (told["replicas"], told["strategy"]) == (1, {"type": "Recreate"})


def test_production_runs_nothing_by_a_name_that_could_move(built: list[Thing]):
    for name, pod in pods(built):
        for container in pod["containers"]:
            assert "@sha256:" in container["image"], name
            told = {one["name"]: one.get("value") for one in container["env"]}
            assert told.get("IMAGE", container["image"]) == container["image"], name


def test_nobody_is_root_and_everybody_has_limits_and_probes(built: list[Thing]):
    for name, pod in pods(built):
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]) <= set(container["resources"]["limits"])
            assert {"startupProbe", "livenessProbe"} <= set(container), name
            served = bool(container.get("ports"))
            assert served == ("readinessProbe" in container), name
        scratch = [volume["name"] for volume in pod["volumes"] if "emptyDir" in volume]
        assert scratch == ["home", "tmp"]
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


def test_a_team_may_make_jobs_in_its_own_namespace_and_nothing_elsewhere(built: list[Thing]):
    assert not [thing for thing in built if thing["kind"].startswith("Cluster")]
    assert {space for space, _ in of_kind(built, "Role")} == {f"headrace-{name}" for name in LOCATIONS}
    for (space, name), binding in of_kind(built, "RoleBinding").items():
        (rules,) = [
            role["rules"]
            for (where, one), role in of_kind(built, "Role").items()
            if (where, one) == (space, binding["roleRef"]["name"])
        ]
        for subject in binding["subjects"]:
            assert (subject["namespace"], subject["name"]) in of_kind(built, "ServiceAccount")
            assert subject["namespace"] in (space, "headrace")
            own = subject["namespace"] == space
            assert subject["name"].startswith("runs-") if own else subject["name"] in ("webserver", "daemon")
        assert "*" not in str(rules)
        makes = any("create" in rule["verbs"] for rule in rules)
        assert makes == name.startswith(("runs-", "start-runs-"))
        assert ("webserver" in str(binding["subjects"])) <= (not makes)


def test_who_has_no_rights_has_no_token(built: list[Thing]):
    bound = {subject["name"] for one in of_kind(built, "RoleBinding").values() for subject in one["subjects"]}
    for name, pod in pods(built):
        assert (pod["serviceAccountName"] in bound) == pod.get("automountServiceAccountToken", True), name


def test_in_each_namespace_nobody_is_reached_who_need_not_be(built: list[Thing]):
    spaces = [name for _, name in of_kind(built, "Namespace")]
    policies = of_kind(built, "NetworkPolicy")
    for space in spaces:
        mine = [thing["spec"] for (where, _), thing in policies.items() if where == space]
        assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in mine, space
        entries = [way for policy in mine for way in policy.get("ingress", [])]
        assert entries
        assert all(way["from"] and way["ports"] for way in entries), space
    assert sorted(spaces) == sorted(["headrace", *(f"headrace-{name}" for name in LOCATIONS)])


def test_applying_one_location_touches_no_other(built: list[Thing]):
    for part, names in PART.items():
        found = things(ROOT / FOLDER / part)
        assert tuple(sorted(name for _, name in of_kind(found, "Deployment"))) == tuple(sorted(names))
        space = "headrace" if part == "core" else f"headrace-{part}"
        assert {thing["metadata"].get("namespace", space) for thing in found} == {space}
        assert all(thing in built for thing in found)


def test_settings_are_such_that_are_read_and_hold_no_secret(built: list[Thing]):
    known = {
        f"HEADRACE_{name.upper()}"
        for kind in (Settings, InstanceSettings, ComputeSettings, AccessSettings)
        for name in kind.model_fields
    } | {"HEADRACE_IMAGES", "HEADRACE_IMAGE_DIGESTS", "AWS_REGION"}
    for (space, name), thing in of_kind(built, "ConfigMap").items():
        if name.startswith("settings"):
            assert set(thing["data"]) <= known, space
            assert thing["data"]["HEADRACE_RUNS_NAMESPACE"] == namespaces_of_locations(PRODUCTION)
            assert not [key for key in thing["data"] if key in ("HEADRACE_CATALOG", "HEADRACE_DAGSTER")]
    assert not of_kind(built, "Secret")


def test_a_branch_is_in_one_namespace_of_its_own(tmp_path: Path):
    branch = Namespace("branch", "new-engine")
    images = dict.fromkeys((*LOCATIONS, "server"), "registry.example.com/headrace/x:1")
    root = tmp_path / "deploy" / "kubernetes"
    shutil.copytree(ROOT / "deploy" / "kubernetes", root)
    ways = ("../overlays/production/own", "../overlays/branch")
    deployment = ClusterDeployment(branch, owners(), images, "../base", ways)
    for path, text in branch_texts(deployment, "../overlays/production", {"HEADRACE_NAMESPACE": str(branch)}).items():
        (root / "one" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "one" / path).write_text(text)
    found = things(root / "one")
    space = core_namespace(branch)
    assert [name for _, name in of_kind(found, "Namespace")] == [space] == ["headrace-branch-new-engine"]
    assert {thing["metadata"].get("namespace", space) for thing in found} == {space}
    assert all(thing["metadata"]["labels"]["headrace/namespace"].startswith("branch-new-engine-") for thing in found)
    for (_, name), thing in of_kind(found, "ConfigMap").items():
        if name.startswith("settings"):
            assert thing["data"]["HEADRACE_NAMESPACE"] == "branch/new-engine"
            assert thing["data"]["HEADRACE_STORE"]
    assert "metrics" not in {thing["metadata"]["name"] for thing in found}
    assert "scrapers" not in {thing["metadata"]["name"] for thing in found}
    for name in LOCATIONS:
        selector = of_kind(found, "Service")[space, f"code-{name}"]["spec"]["selector"]
        assert selector["headrace/location"] == name
