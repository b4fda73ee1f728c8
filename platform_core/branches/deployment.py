"""Where the parts of a branch deployment are: every name follows from its namespace."""

import re
from dataclasses import dataclass
from pathlib import Path

from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.errors import NamespaceError, did_you_mean
from platform_core.namespaces import Namespace, slug
from platform_core.settings import Settings


def branch_namespace(git_branch: str) -> Namespace:
    """The namespace of a git branch, which no other branch has.

    Raises:
        NamespaceError: the name has nothing that a name could be made of.
    """
    if not re.search(r"[^\W_]", git_branch):
        raise NamespaceError(f"'{git_branch}' has no letter or digit that a namespace could be named by.")
    return Namespace("branch", slug(git_branch))


def find_branch(catalog: Catalog, name: str) -> Branch:
    """A branch deployment by its git branch, its namespace or the name of that.

    Raises:
        NamespaceError: there is none.
    """
    known = [branch for branch, _ in catalog.branches()]
    for branch in known:
        if name in (branch.git_branch, branch.namespace, branch.namespace.partition("/")[2]):
            return branch
    if (one := _closed(catalog, name)) is not None:
        raise NamespaceError(f"{one} was closed already, on {catalog.namespace(one).closed_at:%Y-%m-%d %H:%M} UTC.")
    names = [branch.git_branch for branch in known]
    raise NamespaceError(
        f"There is no branch deployment '{name}'.{did_you_mean(name, names)} `headrace branch list` shows those there"
        " are; headrace branch open makes one."
    )


def _closed(catalog: Catalog, name: str) -> Namespace | None:
    """The namespace of a branch that was closed and of which nothing is left."""
    names = {record.name for record in catalog.namespaces(closed=True) if record.closed_at is not None}
    possible = [name, f"branch/{name}", *([str(branch_namespace(name))] if re.search(r"[^\W_]", name) else [])]
    return next((Namespace.parse(text) for text in possible if text in names), None)


@dataclass(frozen=True)
class Deployment:
    """A branch deployment on this machine.

    Args:
        settings: those of the process that asks, whose store and catalog the branch shares.
    """

    branch: Branch
    settings: Settings

    @property
    def namespace(self) -> Namespace:
        return Namespace.parse(self.branch.namespace)

    @property
    def folder(self) -> Path:
        """What is the branch's alone, but for its Dagster home."""
        return self.settings.home / "branches" / self.namespace.slug

    @property
    def dagster_home(self) -> Path:
        return self.settings.home / "dagster" / self.namespace.slug

    @property
    def code(self) -> Path:
        """The folder with the code of the branch."""
        return Path(self.branch.checkout)

    @property
    def has_own_code(self) -> bool:
        """Whether its code is a worktree that was made for it, and goes with it."""
        return self.code == self.folder / "code"

    @property
    def variables(self) -> dict[str, str]:
        """The settings of its processes: its code and its namespace, with the store and catalog of all."""
        return {
            "HEADRACE_HOME": str(self.settings.home),
            "HEADRACE_STORE": self.settings.store,
            "HEADRACE_CATALOG": self.settings.catalog,
            "HEADRACE_SOURCES": str(self.settings.sources),
            "HEADRACE_NAMESPACE": self.branch.namespace,
            "HEADRACE_REPOSITORY": str(self.code),
            "PYTHONPATH": str(self.code),
            # What other libraries ask to find out where they are.
            "DAGSTER_CLOUD_IS_BRANCH_DEPLOYMENT": "1",
            "DAGSTER_CLOUD_DEPLOYMENT_NAME": self.branch.namespace,
        }
