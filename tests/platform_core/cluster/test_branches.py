"""Branches in a cluster, with a kubectl that only writes down what it is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform_core.cluster import branches
from platform_core.cluster.branches import deploy_branch, left_in_cluster, remove_branch, url_in_cluster
from platform_core.cluster.kubectl import ClusterError, Kubectl
from platform_core.cluster.settings import cluster_settings
from platform_core.errors import SettingsError
from platform_core.kubernetes_names import label_value
from platform_core.namespaces import Namespace
from tests.repository.tree import ROOT

BRANCH, OTHER = Namespace("branch", "new-engine"), Namespace("branch", "new-engine-2")
SECRET = {"type": "Opaque", "data": {"HEADRACE_CATALOG": "aGlkZGVu"}}


class Cluster:
    """What there is in a cluster, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.applied: list[list[dict[str, Any]]] = []
        self.labels: dict[str, str] = {}
        self.secret = json.dumps(SECRET)

    def run(self, kubectl: Kubectl, *arguments: str, given: str | None = None) -> str:
        self.asked.append(arguments)
        if given is not None:
            self.applied.append(list(yaml.safe_load_all(given)))
        if arguments[:2] == ("get", "namespace"):
            return self._namespaces(arguments)
        return self.secret if "get" in arguments else ""

    def _namespaces(self, arguments: tuple[str, ...]) -> str:
        chosen = {name: label for name, label in self.labels.items() if label in arguments[3].split("=")[-1:]}
        if "name" in arguments:
            return "\n".join(f"namespace/{name}" for name in chosen)
        return json.dumps(
            {"items": [{"metadata": {"labels": {"headrace/namespace": one}}} for one in self.labels.values()]}
        )


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setenv("HEADRACE_CLUSTER", "test")
    monkeypatch.setenv("HEADRACE_REPOSITORY", str(ROOT))
    monkeypatch.setattr(Kubectl, "_run", lambda self, *arguments, given=None: found.run(self, *arguments, given=given))
    built = {"kind": "Namespace", "metadata": {"name": "headrace-branch-new-engine"}}
    pods = {"kind": "Deployment", "metadata": {"name": "webserver"}}
    monkeypatch.setattr(branches, "manifests_of", lambda *_: yaml.safe_dump_all([built, pods]))
    return found


def test_a_branch_has_its_namespace_and_secret_before_its_pods_and_is_waited_for(cluster: Cluster):
    deploy_branch(BRANCH, ROOT, "ann", None)
    first, second = cluster.applied
    assert [thing["kind"] for thing in first] == ["Namespace", "Secret"]
    assert first[1]["metadata"]["namespace"] == "headrace-branch-new-engine"
    assert first[1]["data"] == SECRET["data"]
    assert [thing["kind"] for thing in second] == ["Namespace", "Deployment"]
    assert cluster.asked[-1][:5] == ("-n", "headrace-branch-new-engine", "rollout", "status", "deployment/webserver")
    assert "aGlkZGVu" not in str(cluster.asked)


def test_without_a_secret_for_branches_nothing_is_applied(cluster: Cluster):
    cluster.secret = ""
    with pytest.raises(ClusterError, match="headrace-branches"):
        deploy_branch(BRANCH, ROOT, "ann", None)
    assert not cluster.applied


def test_what_its_containers_wait_for_is_told(monkeypatch: pytest.MonkeyPatch):
    """kubectl itself says no more than that time is over."""

    def run(_: Kubectl, *arguments: str, given: str | None = None) -> str:
        if "rollout" in arguments:
            raise ClusterError("kubectl rollout failed: timed out.")
        return "ErrImagePull: no such image\nErrImagePull: no such image\n"

    monkeypatch.setattr(Kubectl, "_run", run)
    with pytest.raises(ClusterError, match=r"timed out\. ErrImagePull: no such image\.$"):
        Kubectl().await_rollout("space", "webserver", 1)


def test_closing_removes_what_carries_the_label_of_the_branch_and_nothing_else(cluster: Cluster):
    cluster.labels = {"a": label_value(str(BRANCH)), "b": label_value(str(OTHER)), "c": "production"}
    remove_branch(BRANCH)
    assert [one[1] for one in cluster.asked if one[0] == "delete"] == ["namespace/a"]
    remove_branch(Namespace("branch", "gone"))
    assert sum(one[0] == "delete" for one in cluster.asked) == 1


def test_what_is_left_of_closed_branches_is_found_in_one_question(cluster: Cluster):
    cluster.labels = {"a": label_value(str(BRANCH)), "c": "production"}
    assert left_in_cluster([BRANCH, OTHER]) == [BRANCH]
    assert len(cluster.asked) == 1


def test_a_branch_is_seen_at_its_address(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    assert "kubectl -n headrace-branch-new-engine port-forward service/webserver" in url_in_cluster(BRANCH)
    monkeypatch.setenv("HEADRACE_CLUSTER_UI", "https://{branch}.headrace.example.com/")
    assert url_in_cluster(BRANCH) == "https://new-engine.headrace.example.com/"
    monkeypatch.setenv("HEADRACE_CLUSTER_UI", "https://headrace.example.com")
    with pytest.raises(SettingsError, match="HEADRACE_CLUSTER_UI"):
        cluster_settings()


def test_the_manifests_of_a_branch_are_those_of_its_code(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADRACE_CLUSTER_UI", "https://{branch}.headrace.example.com")
    seen: dict[str, str] = {}

    def built(_: Kubectl, folder: Path) -> str:
        seen.update({str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.yaml")})
        return ""

    monkeypatch.setattr(Kubectl, "built", built)
    branches.manifests_of(Kubectl(), BRANCH, ROOT, "ann", 1_800_000_000)
    flights = yaml.safe_load(seen["flights/kustomization.yaml"])
    assert flights["namespace"] == "headrace-branch-new-engine"
    assert flights["images"][0]["newName"] == "headrace/flights"
    assert flights["labels"][0]["pairs"]["headrace/owner"] == "ann"
    assert flights["labels"][0]["pairs"]["headrace/expires"] == "1800000000"
    settings = yaml.safe_load(seen["settings/kustomization.yaml"])["configMapGenerator"][0]["literals"]
    assert {"HEADRACE_NAMESPACE=branch/new-engine", "HEADRACE_UI=https://new-engine.headrace.example.com"} <= set(
        settings
    )
    rules = yaml.safe_load(seen["core/ingress.yaml"])["spec"]["rules"]
    assert [rule["host"] for rule in rules] == ["new-engine.headrace.example.com"]
    assert "ingress.yaml" in yaml.safe_load(seen["core/kustomization.yaml"])["resources"]


def test_what_kubectl_refuses_is_one_sentence(tmp_path: Path):
    with pytest.raises(ClusterError, match=r"kubectl kustomize failed|no kubectl"):
        Kubectl().built(tmp_path)
