"""Who computes, with which code, in which environment, and what that takes."""

import json
import os
import subprocess
import time
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from platform_core.catalog.values import COST, SECONDS
from platform_core.settings import login

BUILT_FROM = "headrace-code.json"  # in an image's repository: what its code is
PRICE = "HEADRACE_PRICE_PER_HOUR"  # of the step that a process executes
_began: ContextVar[float | None] = ContextVar("began", default=None)


def author() -> str:
    return login()


def begin() -> None:
    """Says that this process begins a step, and does nothing else."""
    _began.set(time.monotonic())


def spent(versions: int = 1) -> dict[str, float]:
    """The time of this step so far and its cost, as metadata for each of the versions that it writes; empty outside a
    process of a step, and without a cost where its profile has no price.
    """
    if (began := _began.get()) is None:
        return {}
    return cost_of((time.monotonic() - began) / versions)


def cost_of(seconds: float) -> dict[str, float]:
    price = os.environ.get(PRICE)
    cost = {COST: round(seconds / 3600 * float(price), 6)} if price else {}
    return {SECONDS: round(seconds, 3), **cost}


@lru_cache(maxsize=4)
def git_commit(repository: Path) -> str:
    """The commit that is checked out, with `+` when there are changes besides; empty outside a git repository.

    In an image it is the commit that the image was built from.
    """
    if (built := repository / BUILT_FROM).is_file():
        return str(json.loads(built.read_text())["git_commit"])
    try:
        head = _git(repository, "rev-parse", "HEAD")
        return head + ("+" if _git(repository, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
