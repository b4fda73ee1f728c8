"""Code of other commits than the one that is checked out here, ready to run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from platform_core.environments.checkouts import checkout_of
from platform_core.environments.environment import Environment, environment_of
from platform_core.environments.frozen import own_venv
from platform_core.environments.marker import read_marker
from platform_core.environments.venvs import Say, ready_venv
from platform_core.locations import all_locations
from platform_core.settings import Settings, as_if_in


@contextmanager
def worktree_of(settings: Settings, commit: str, say: Say = lambda _: None) -> Iterator[Path]:
    """A folder with the repository as of a commit, whose locations can be run; gone afterwards."""
    with checkout_of(commit, settings.home / "checkouts" / f"{commit[:12]}-{token_hex(4)}") as folder:
        link_environments(settings, folder, say)
        yield folder


def link_environments(settings: Settings, checkout: Path, say: Say = lambda _: None) -> None:
    """Lets each location of a checkout find its environment where workspace.yaml says: one that was made for the same
    lock file already, or a new one.

    Raises:
        FrozenError: a lock file is not frozen, or its environment cannot be made.
    """
    with as_if_in({"HEADRACE_REPOSITORY": str(checkout), "HEADRACE_HOME": str(settings.home)}):
        names = [location.name for location in all_locations()]
        for name in names:
            environment = environment_of(name, repository=checkout)
            venv = (
                _synced_by_hand(settings, environment)
                or ready_venv(environment, say, repository=checkout).parent.parent
            )
            _link(checkout / "code_locations" / name / ".venv", venv)


def _synced_by_hand(settings: Settings, environment: Environment) -> Path | None:
    """The venv in the location's own folder, where it is this very environment."""
    with as_if_in({"HEADRACE_REPOSITORY": str(settings.repository)}):
        venv = own_venv(environment.location)
    marker = read_marker(venv)
    return venv if marker is not None and marker.environment == environment.hash else None


def _link(link: Path, venv: Path) -> None:
    if link.is_symlink() and link.readlink() == venv:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(venv)
