"""The few calls of kubectl: it carries kustomize, and knows which cluster whoever runs it may change."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from platform_core.errors import HeadraceError

_VERBS = ("kustomize", "apply", "rollout", "get", "delete")
_WAITING = '{range .items[*].status.containerStatuses[*].state.waiting}{.reason}: {.message}{"\\n"}{end}'
LAST = 5  # lines of what it says that are told


class ClusterError(HeadraceError):
    """The cluster, or kubectl, did not do what it was asked for."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a context; without one, that which kubectl takes by itself."""

    context: str = ""

    def built(self, folder: Path) -> str:
        """What a kustomization makes."""
        return self._run("kustomize", str(folder))

    def apply(self, manifests: str) -> None:
        """Server-side: what others have set in the same things stays."""
        self._run("apply", "--server-side", "--force-conflicts", "--field-manager=headrace", "-f", "-", given=manifests)

    def await_rollout(self, namespace: str, deployment: str, patience: float) -> None:
        """Waits until all of its pods are new and ready.

        Raises:
            ClusterError: they are not in time; with what its containers wait for.
        """
        try:
            self._run("-n", namespace, "rollout", "status", f"deployment/{deployment}", f"--timeout={patience:g}s")
        except ClusterError as error:
            waits = self._run("-n", namespace, "get", "pods", "-o", f"jsonpath={_WAITING}").strip().splitlines()
            raise ClusterError(f"{error}{''.join(f' {why}.' for why in sorted(set(waits)))}") from error

    def names(self, kind: str, selector: str) -> list[str]:
        """What there is of a kind that no namespace has, by its labels."""
        return self._run("get", kind, "-l", selector, "-o", "name").split()

    def found(self, kind: str, name: str, namespace: str) -> str:
        """One thing as JSON; empty where it is not there."""
        return self._run("-n", namespace, "get", kind, name, "--ignore-not-found", "-o", "json").strip()

    def labels(self, kind: str, label: str, selector: str) -> set[str]:
        """What a label says on what there is of a kind that no namespace has."""
        found = json.loads(self._run("get", kind, "-l", selector, "-o", "json"))["items"]
        return {thing["metadata"]["labels"].get(label, "") for thing in found}

    def delete(self, name: str) -> None:
        """Waits until it is gone. Nothing happens where it is not there."""
        self._run("delete", name, "--ignore-not-found", "--wait")

    def _run(self, *arguments: str, given: str | None = None) -> str:
        context = [f"--context={self.context}"] if self.context else []
        command = ["kubectl", *context, *arguments]
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise ClusterError("There is no kubectl on this machine, which deployments in a cluster need.") from error
        if done.returncode:
            verb = next(word for word in arguments if word in _VERBS)
            told = " ".join(done.stderr.strip().splitlines()[-LAST:])
            raise ClusterError(f"kubectl {verb} failed: {told or f'exit code {done.returncode}'}")
        return done.stdout
