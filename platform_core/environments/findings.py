"""What `headrace check` says of a location's environment."""

from collections.abc import Callable, Iterator

from platform_core.environments.environment import environment_of
from platform_core.environments.frozen import own_venv, require
from platform_core.environments.lock import Lock
from platform_core.environments.project import Project, project_of
from platform_core.environments.system_packages import missing_here
from platform_core.environments.uv import run_uv
from platform_core.environments.yanked import withdrawn
from platform_core.errors import FrozenError, listed


def problems_of(location: str) -> list[str]:
    """Sentences about what is not frozen: a lock that is out of date or loose, a venv that is another one."""
    try:
        project = project_of(location)
        return list(_problems(project, location))
    except FrozenError as error:
        return [str(error)]


def _problems(project: Project, location: str) -> Iterator[str]:
    environment = environment_of(location)
    yield from Lock(project.lock).problems()
    yield from _out_of_date(project)
    if own_venv(location).is_dir():
        try:
            require(environment.hash, location, own_venv(location))
        except FrozenError as error:
            yield str(error)


def _out_of_date(project: Project) -> Iterator[str]:
    """Whether uv would lock something else, as far as it can tell without asking an index."""
    try:
        run_uv("lock", "--check", "--offline", "--project", str(project.folder), doing="x")
    except FrozenError:
        yield (
            f"{project.lock} no longer matches {project.folder / 'pyproject.toml'}, or that of the platform; lock again"
            f" with: uv lock --project {project.folder}"
        )


def notes_on(location: str) -> list[str]:
    """Sentences about what this machine lacks, and about what an index has withdrawn, or that it could not be asked."""
    return _notes(location, missing_here, _on_withdrawn)


def system_notes_on(location: str) -> list[str]:
    """Sentences about system packages that the location declares and this machine lacks, or cannot tell of."""
    return _notes(location, missing_here)


def _notes(location: str, *looks: Callable[[Project], str]) -> list[str]:
    return list(dict.fromkeys(note for look in looks if (note := _said(look, location))))


def _said(look: Callable[[Project], str], location: str) -> str:
    try:
        return look(project_of(location))
    except FrozenError as error:
        return str(error)


def _on_withdrawn(project: Project) -> str:
    found = withdrawn(project)
    if not found:
        return ""
    mend = f"uv lock --project {project.folder} --upgrade-package {found[0].name}"
    return (
        f"{project.folder.name} locks what its index has withdrawn: {listed(map(str, found))}; take another version"
        f" with: {mend}"
    )
