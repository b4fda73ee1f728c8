"""Making a new venv from a warm uv cache, against `uv sync` of the same lock file into an empty folder."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.interleave import BenchmarkError, Comparison, Contender, interleaved
from platform_core.environments.environment import environment_of
from platform_core.environments.project import PLATFORM
from platform_core.environments.uv import run_uv
from platform_core.environments.venvs import ready_venv
from platform_core.errors import FrozenError
from platform_core.settings import current_settings

OURS, PEER = "headrace, a new venv", "uv sync"
LOCATION = "flights"


def main() -> Comparison:
    with tempfile.TemporaryDirectory(prefix="headrace-bench-", dir=current_settings().home) as folder:
        return Comparison(
            claim="A new venv from a warm uv cache takes at most 1.3 times `uv sync`",
            subject=OURS,
            reference=PEER,
            target=1.3,
            samples=interleaved([Contender(OURS, _ours(Path(folder))), Contender(PEER, _uv(Path(folder)))], rounds=7),
        )


def _ours(folder: Path) -> Callable[[], None]:
    home = folder / "ours"

    def run() -> None:
        shutil.rmtree(home, ignore_errors=True)
        before = os.environ.get("HEADRACE_HOME")
        os.environ["HEADRACE_HOME"] = str(home)
        try:
            ready_venv(environment_of(LOCATION))
        except FrozenError as error:
            raise BenchmarkError(str(error)) from error
        finally:
            os.environ.pop("HEADRACE_HOME") if before is None else os.environ.update(HEADRACE_HOME=before)

    return run


def _uv(folder: Path) -> Callable[[], None]:
    venv = folder / "uv"
    project = current_settings().repository / "code_locations" / LOCATION

    def run() -> None:
        shutil.rmtree(venv, ignore_errors=True)
        run_uv(
            *("sync", "--frozen", "--no-default-groups", "--no-install-package", PLATFORM, "--project", str(project)),
            doing="uv sync",
            variables={"UV_PROJECT_ENVIRONMENT": str(venv)},
        )

    return run
