"""The code of an earlier commit, beside the one that is checked out."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platform_core.errors import FrozenError
from platform_core.settings import current_settings


@contextmanager
def checkout_of(commit: str, folder: Path) -> Iterator[Path]:
    """A folder with the repository as of a commit, gone afterwards.

    Args:
        folder: which does not exist yet.

    Raises:
        FrozenError: git does not have the commit.
    """
    root = current_settings().repository
    _git(root, commit, "worktree", "prune")  # git remembers those whose folder went with a process that was killed
    _git(root, commit, "worktree", "add", "--quiet", "--force", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        _git(root, commit, "worktree", "remove", "--force", str(folder))


def _git(root: Path, commit: str, *arguments: str) -> None:
    try:
        subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (
            str(getattr(error, "stderr", "") or error).strip().rpartition("\n")[2].removeprefix("fatal: ").rstrip(".")
        )
        raise FrozenError(
            f"The code of the commit {commit[:12]} cannot be had back ({said}); is it in another repository, or was it"
            " never pushed?"
        ) from error
