"""What branch deployments ask of git."""

import subprocess
from pathlib import Path

from platform_core.errors import NamespaceError


def current_branch(repository: Path) -> str:
    """The branch that is checked out.

    Raises:
        NamespaceError: none is, or this is no git repository.
    """
    name = _git(repository, "rev-parse", "--abbrev-ref", "HEAD")
    if name == "HEAD":
        raise NamespaceError(f"No branch is checked out in {repository}, only a commit; say which branch is meant.")
    return name


def commit_of(repository: Path, branch: str = "") -> str:
    """The commit that a branch points to, here or at its origin; without a branch, the one that is checked out.

    Raises:
        NamespaceError: there is no such branch.
    """
    if not branch:
        return _git(repository, "rev-parse", "HEAD")
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
        if found := asked(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
            return found
    raise NamespaceError(
        f"git knows no branch '{branch}' in {repository}; make it with: git switch -c {branch}, or fetch it first."
    )


def has_commit(repository: Path, commit: str) -> bool:
    return bool(asked(repository, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"))


def merge_base(repository: Path, one: str, other: str) -> str:
    """The commit at which two histories parted; empty where they have nothing in common."""
    return asked(repository, "merge-base", one, other)


def file_at(repository: Path, commit: str, path: str) -> str:
    """The content of a file of a commit; empty where there is none, or only a link."""
    found = asked(repository, "ls-tree", commit, path)
    return asked(repository, "show", f"{commit}:{path}") if found.startswith("100") else ""


def add_worktree(repository: Path, folder: Path, commit: str) -> None:
    """The code of a commit in a folder of its own."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _git(repository, "worktree", "prune")
    _git(repository, "worktree", "add", "--quiet", "--force", "--detach", str(folder), commit)


def move_worktree(folder: Path, commit: str) -> None:
    _git(folder, "checkout", "--quiet", "--detach", commit)


def remove_worktree(repository: Path, folder: Path) -> None:
    """Removes a worktree, whoever may have removed its folder already."""
    if folder.exists():
        _git(repository, "worktree", "remove", "--force", str(folder))
    _git(repository, "worktree", "prune")


def is_dirty(folder: Path) -> bool:
    """Whether a worktree holds edits that no commit has."""
    return bool(_git(folder, "status", "--porcelain", "--untracked-files=normal"))


def asked(repository: Path, *arguments: str) -> str:
    """The answer to a question whose answer may be no."""
    return printed(repository, *arguments).strip()


def printed(repository: Path, *arguments: str) -> str:
    """All that git prints; nothing where it fails, or is not there."""
    command = ["git", "-C", str(repository), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except FileNotFoundError as error:
        raise NamespaceError("A branch deployment needs git, which is not installed.") from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().rpartition("\n")[2].removeprefix("fatal: ").rstrip(".")
        raise NamespaceError(f"git {arguments[0]} failed in {repository}: {reason}.") from error
