"""Venvs on demand: made once per environment below the home, whoever asks first, and shared from then on.

A venv holds what the lock pins and no code of this repository, so that every checkout with the same lock may use it.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platform_core.environments.environment import Environment, Plan, this_platform
from platform_core.environments.lock import Lock
from platform_core.environments.marker import Marker, read_marker, write_marker
from platform_core.environments.project import PLATFORM, Project, project_of
from platform_core.environments.uv import run_uv
from platform_core.errors import FrozenError
from platform_core.settings import current_settings

Say = Callable[[str], None]


def venv_folder(environment: Environment) -> Path:
    """Where the venv of an environment is, or would be."""
    return venvs_folder() / environment.hash


def venvs_folder() -> Path:
    return current_settings().home / "environments"


def planned_interpreter(plan: str) -> Path:
    """The interpreter of the environment of a plan, whether it was made or not."""
    return venvs_folder() / Plan.from_text(plan).hash / "bin" / "python"


def ready_venv(environment: Environment, say: Say = lambda _: None, *, repository: Path | None = None) -> Path:
    """The interpreter of an environment's venv, which is made first when it is not there.

    Several processes may ask at once: one makes it, the others wait. What a killed one left is made anew.

    Args:
        say: takes progress, a line at a time.
        repository: the checkout whose lock file it is made from.

    Raises:
        FrozenError: the lock is not frozen, or uv cannot make it.
    """
    folder = venv_folder(environment)
    if read_marker(folder) is None:
        with _alone(folder, say):
            if read_marker(folder) is None:
                _make(environment, folder, say, project_of(environment.location, repository))
    return folder / "bin" / "python"


@contextmanager
def _alone(folder: Path, say: Say) -> Iterator[None]:
    """Holds the environment's lock, which the system gives back when this process is gone."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another process that makes the environment {folder.name}.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(environment: Environment, folder: Path, say: Say, project: Project) -> None:
    _require_this_machine(environment)
    Lock(project.lock).require_frozen()
    say(f"Making the environment {environment} from {project.lock.name}.")
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)  # half of one, if a process was killed
    run_uv(
        *("sync", "--frozen", "--no-install-package", PLATFORM, "--python", environment.python),
        *("--project", str(project.folder), *project.arguments_for(environment.extras)),
        doing=f"The environment {environment} cannot be made",
        variables={"UV_PROJECT_ENVIRONMENT": str(folder)},
    )
    marker = write_marker(folder, **environment.identity)
    say(f"Made the environment {environment}: {len(marker.packages)} packages in {time.monotonic() - started:.1f} s.")


def _require_this_machine(environment: Environment) -> None:
    if environment.platform != this_platform():
        raise FrozenError(
            f"The environment {environment} is one of {environment.platform}, and this machine is {this_platform()};"
            " use its image, or a machine like that."
        )


@dataclass(frozen=True)
class Venv:
    """A venv on disk that was made on demand."""

    folder: Path
    marker: Marker
    used: datetime

    @property
    def bytes(self) -> int:
        """What it holds, which may be shared with uv's cache."""
        found = (Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names)
        return sum(os.lstat(path).st_size for path in found)


def all_venvs() -> list[Venv]:
    """The venvs that are complete, the one that was used last first."""
    folders = [folder for folder in venvs_folder().glob("*") if folder.is_dir()]
    found = [Venv(folder, marker, _used(folder)) for folder in folders if (marker := read_marker(folder))]
    return sorted(found, key=lambda venv: venv.used, reverse=True)


def touch(folder: Path) -> None:
    """Notes that a venv was used now. Where it cannot be noted, it does not matter."""
    with suppress(OSError):
        os.utime(folder)


def _used(folder: Path) -> datetime:
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def remove(venv: Venv) -> None:
    """Removes a venv; nobody can find it half removed."""
    with _alone(venv.folder, lambda _: None):
        gone = venv.folder.with_suffix(".gone")
        shutil.rmtree(gone, ignore_errors=True)
        os.replace(venv.folder, gone)
        shutil.rmtree(gone)
