"""Frozen means refused: whether a process finds itself in the environment that its step was planned for."""

import os
import sys
from pathlib import Path

from platform_core.environments.environment import VARIABLE, Environment, Plan, environment_of
from platform_core.environments.lock import Lock
from platform_core.environments.marker import Marker, installed, read_marker, write_marker
from platform_core.environments.project import PLATFORM, project_of
from platform_core.environments.uv import run_uv
from platform_core.errors import FrozenError, listed
from platform_core.settings import current_settings


def require_planned() -> None:
    """Refuses to go on in another environment than `HEADRACE_ENVIRONMENT` names. Where it is unset, none was planned.

    Raises:
        FrozenError: with both environments in the sentence.
    """
    plan = _plan()
    if plan.hash:
        require(plan.hash, plan.location, Path(sys.prefix))


def _plan() -> Plan:
    return Plan.from_text(os.environ.get(VARIABLE, ""))


def environment_here(location: str) -> str:
    """The hash of the environment that this process computes a location's values in; empty where nothing says it."""
    plan = _plan()
    if plan.hash and plan.location == location:
        return plan.hash  # which the step has been held to
    if marker := read_marker(Path(sys.prefix)):
        return marker.environment
    try:
        return environment_of(location).hash
    except FrozenError:
        return ""


def is_here(plan: str) -> bool:
    """Whether this process runs in the environment of a plan, by its marker."""
    marker = read_marker(Path(sys.prefix))
    return marker is not None and marker.environment == Plan.from_text(plan).hash


def require(planned: str, location: str, folder: Path) -> None:
    """Refuses a venv or image, by its folder, that is not the planned environment of a location.

    The venv in a location's own folder, which people sync by hand, is compared with the lock file when its marker does
    not say that it is the planned one, and marked anew when it matches.
    """
    marker = read_marker(folder)
    if marker is not None and marker.environment == planned and not _changed(marker, folder):
        return
    if folder.resolve() == own_venv(location).resolve():
        environment = environment_of(location)
        if environment.hash == planned:
            require_as_locked(environment, folder)
            return
    raise FrozenError(_refusal(planned, location, folder, marker))


def own_venv(location: str) -> Path:
    """The venv in a location's folder, in which its code server and its steps without extras run."""
    return current_settings().repository / "code_locations" / location / ".venv"


def require_as_locked(environment: Environment, folder: Path) -> None:
    """Compares what is installed in a location's own venv with its lock file, and marks it when they agree.

    Raises:
        FrozenError: a package is missing, of another version, or in no lock.
    """
    project = project_of(environment.location)
    mend = f"make it again with: uv sync --locked --project {project.folder}"
    locked = {(package.name, package.version) for package in Lock(project.lock).packages}
    if strangers := [" ".join(item) for item in installed(folder).items() if item not in locked]:
        raise FrozenError(
            f"The environment of {environment.location} is not what its lock file says: {listed(sorted(strangers))}"
            f" {'is' if len(strangers) == 1 else 'are'} installed, which the lock does not have; {mend}"
        )
    run_uv(
        *("sync", "--frozen", "--check", "--inexact", "--no-install-package", PLATFORM, "--offline"),
        *("--project", str(project.folder), *project.arguments_for(environment.extras)),
        doing=f"The environment of {environment.location} is not what its lock file says; {mend}",
        variables={"UV_PROJECT_ENVIRONMENT": str(folder)},
    )
    _mark(folder, environment)


def _mark(folder: Path, environment: Environment) -> None:
    """Spares the next process the comparison; where nothing can be written, it compares again."""
    if os.access(folder, os.W_OK):
        write_marker(folder, **environment.identity)


def _changed(marker: Marker, folder: Path) -> bool:
    return installed(folder) != marker.packages


def _refusal(planned: str, location: str, folder: Path, marker: Marker | None) -> str:
    if marker is None:
        found = f"{folder}, which does not say what environment it is"
    elif marker.environment == planned:
        found = f"{folder}, whose packages were changed after it was made"
    else:
        found = marker.label
    return (
        f"This step of {location} was planned for the environment {planned} and finds itself in {found}: it does not"
        " start. Build the image or make the venv of the lock file as it is now, or take the lock file of then."
    )
