"""Who computes, with which code, in which environment."""

import getpass
import hashlib
import subprocess
from functools import lru_cache
from pathlib import Path

from platform_core.settings import current_settings


def author() -> str:
    return getpass.getuser()


@lru_cache(maxsize=4)
def git_commit(repository: Path) -> str:
    """The commit that is checked out, with `+` when there are changes besides; empty outside a git repository."""
    try:
        head = _git(repository, "rev-parse", "HEAD")
        return head + ("+" if _git(repository, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@lru_cache(maxsize=16)
def environment_hash(location: str) -> str:
    """Twelve hexadecimal digits of the location's lock file; empty where there is none."""
    lock = current_settings().repository / "code_locations" / location / "uv.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:12] if lock.is_file() else ""
