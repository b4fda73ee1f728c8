"""What a location needs of its system: images install it, and here somebody else has to."""

import shutil
import subprocess
from collections.abc import Iterable

from platform_core.environments.project import Project
from platform_core.errors import FrozenError, listed

_QUERY = ("dpkg-query", "--show", "--showformat", "${db:Status-Status}\t${Package}\t${Version}\t${Provides}\n")


def missing_here(project: Project) -> str:
    """A sentence about declared system packages that this machine has not got, or cannot tell of; else nothing."""
    wanted = project.system_packages
    if not wanted:
        return ""
    if shutil.which(_QUERY[0]) is None:
        return (
            f"Whether this machine has what {project.name} needs of its system ({listed(wanted)}) cannot be known: it"
            " is no Debian, there is no dpkg-query."
        )
    missing = [package for package in wanted if package not in _installed()]
    if not missing:
        return ""
    return (
        f"This machine lacks what {project.name} needs of its system: {listed(missing)}. Its images have it; steps here"
        f" may fail without: apt-get install {' '.join(missing)}"
    )


def _installed() -> set[str]:
    """Names of packages, also with their versions (`libgomp1=12.2.0-14`), and what they stand for."""
    done = subprocess.run(_QUERY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FrozenError(f"The packages of this machine cannot be listed: {done.stderr.strip()}.")
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {name for status, *rest in lines if status == "installed" for name in _names(*rest)}


def _names(package: str, version: str, provides: str) -> Iterable[str]:
    yield from (package, f"{package}={version}")
    yield from (name.partition("(")[0].strip() for name in provides.split(",") if name)
