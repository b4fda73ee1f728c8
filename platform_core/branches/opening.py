"""Opening and closing branch deployments. Nothing is copied, and what is closed leaves nothing behind."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from platform_core.branches.deployment import Deployment, branch_namespace
from platform_core.branches.git import add_worktree, commit_of, current_branch, is_dirty, move_worktree, remove_worktree
from platform_core.branches.worktrees import link_environments
from platform_core.catalog.branch_values import Branch
from platform_core.catalog.catalog import Catalog
from platform_core.cluster.settings import in_cluster
from platform_core.environments.venvs import Say
from platform_core.errors import NamespaceError
from platform_core.history.gc import folder_of
from platform_core.instance import remove_dagster_home
from platform_core.namespaces import Namespace
from platform_core.settings import Settings
from platform_core.store.store import Store

DAYS = 14  # after which the janitor closes a branch that nobody wants to keep


def open_branch(
    catalog: Catalog,
    settings: Settings,
    name: str = "",
    *,
    namespace: Namespace | None = None,
    here: bool = False,
    again: bool = False,
    days: int = DAYS,
) -> Deployment:
    """Opens a deployment for a git branch, by default the one that is checked out.

    Its code is this checkout when that is on the branch, and otherwise a worktree of its own.

    Args:
        namespace: a personal one instead of the branch's own.
        here: its code is this checkout, whatever git calls it.
        again: whether one that is open goes on, with the code as it is now.
        days: until it expires.

    Raises:
        NamespaceError: git does not know the branch, it is production's, or it is open already.
    """
    checked_out = _checked_out(settings.repository)
    git_branch = name or checked_out or current_branch(settings.repository)  # which says why there is none
    if git_branch == settings.production_branch and namespace is None:
        raise NamespaceError(
            f"{git_branch} is the code that production runs; a branch is one of its own: git switch -c …"
        )
    opened = namespace or branch_namespace(git_branch)
    commit = commit_of(settings.repository, "" if here else git_branch)
    is_here = here or checked_out == git_branch
    draft = Branch(str(opened), git_branch, commit, "", datetime.now(UTC) + timedelta(days=days))
    code = settings.repository if is_here else Deployment(draft, settings).folder / "code"
    deployment = Deployment(replace(draft, checkout=str(code)), settings)
    if again and catalog.branch(opened) is not None:
        catalog.move_branch(deployment.branch)
    else:
        catalog.open_branch(deployment.branch)
    if deployment.has_own_code and not code.exists():
        add_worktree(settings.repository, code, commit)
    return deployment


def _checked_out(repository: Path) -> str:
    """The branch that is checked out; empty where none is."""
    try:
        return current_branch(repository)
    except NamespaceError:
        return ""


def ready_code(deployment: Deployment, say: Say = lambda _: None) -> None:
    """Makes the code of a branch ready to run; its worktree, when somebody removed that, is made again.

    Raises:
        NamespaceError: the code is gone.
        FrozenError: a lock file is not frozen.
    """
    if deployment.has_own_code:
        _ready_worktree(deployment)
        link_environments(deployment.settings, deployment.code, say)
        return
    if not deployment.code.exists():
        raise NamespaceError(
            f"The code of {deployment.namespace} was in {deployment.code}, which is gone; where it is now, say:"
            f" headrace branch open {deployment.branch.git_branch} --again"
        )
    if (other := _checked_out(deployment.code)) not in ("", deployment.branch.git_branch):
        raise NamespaceError(
            f"{deployment.code}, where the code of {deployment.namespace} was, has {other} checked out; switch back to"
            f" {deployment.branch.git_branch}, or give it a worktree: headrace branch open"
            f" {deployment.branch.git_branch} --again"
        )


def deploy(deployment: Deployment, owner: str) -> None:
    """Lets a branch run in the cluster, where branches are deployed in one.

    Raises:
        ClusterError: the cluster did not take it, or it does not come to stand.
    """
    if in_cluster():
        from platform_core.cluster.branches import deploy_branch

        expires = deployment.branch.expires_at
        until = int(expires.timestamp()) if expires else None
        deploy_branch(deployment.namespace, deployment.code, owner, until)


def _ready_worktree(deployment: Deployment) -> None:
    """Lets it have the branch's newest commit. Edits that no commit has are left alone, and are what is run."""
    repository, code = deployment.settings.repository, deployment.code
    commit = commit_of(repository, deployment.branch.git_branch)
    if not code.exists():
        add_worktree(repository, code, commit)
    elif commit_of(code) != commit and not is_dirty(code):
        move_worktree(code, commit)


def close_branch(catalog: Catalog, store: Store, deployment: Deployment, *, force: bool = False) -> int:
    """Ends a branch and removes everything that it created: its files, Dagster home and worktree, in any order again
    after a crash. How many versions were given up.

    Raises:
        NamespaceError: its worktree holds edits that no commit has.
    """
    if deployment.has_own_code and deployment.code.exists() and not force and is_dirty(deployment.code):
        raise NamespaceError(
            f"{deployment.code} holds edits that no commit has; commit them, or close {deployment.branch.git_branch}"
            " with --force."
        )
    if catalog.namespace(deployment.namespace).closed_at is None:
        catalog.close_namespace(deployment.namespace)
    if in_cluster():
        from platform_core.cluster.branches import remove_branch

        remove_branch(deployment.namespace)  # before its storage, which its processes would make again
    given_up = _remove_files(catalog, store, deployment.namespace)
    remove_dagster_home(deployment.settings, deployment.namespace)
    if deployment.has_own_code:
        remove_worktree(deployment.settings.repository, deployment.code)
    shutil.rmtree(deployment.folder, ignore_errors=True)
    catalog.remove_branch(deployment.namespace)
    return given_up


def expired(catalog: Catalog, now: datetime) -> list[Branch]:
    """The branches whose time is over, and those that somebody began to close."""
    found = catalog.branches()
    return [branch for branch, record in found if record.closed_at or (branch.expires_at and branch.expires_at <= now)]


def _remove_files(catalog: Catalog, store: Store, namespace: Namespace) -> int:
    """What another namespace still shows stays."""
    gone = catalog.forget(catalog.written_by(namespace))
    for version in catalog.versions(gone):
        store.discard(folder_of(version))
    return len(gone)
