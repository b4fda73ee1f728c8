"""What goes into an image besides dependencies: the code of one location and of the platform, and nothing ignored."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from platform_core.environments.environment import Environment, platform_version
from platform_core.errors import FrozenError
from platform_core.locations import find_location
from platform_core.provenance import BUILT_FROM
from platform_core.settings import current_settings

_ROOTS = ("platform_core", "resources", "code_locations/__init__.py", "dagster.yaml")
_DBT = "dbt_project"
_LEFT_OUT = ("platform_core/cli/",)  # the command is not for images
_NOT_CODE = {"tests", "target", "logs", "__pycache__"}
_WORKSPACE = """\
load_from:
  - python_module:
      module_name: {module}
      location_name: {name}
      working_directory: .
      executable_path: .venv/bin/python
"""


def code_hash(location: str, repository: Path | None = None) -> str:
    """Twelve hexadecimal digits of everything in a location's image that is not a dependency.

    Inside of an image it is the one that the image was built with.
    """
    root = repository or current_settings().repository
    written = root / BUILT_FROM
    if written.is_file():
        return str(json.loads(written.read_text())["code"])
    digest = hashlib.sha256()
    for path in (*code_files(location, root), dockerfile(root)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_mode & 0o100}\0{content}\n".encode())
    return digest.hexdigest()[:12]


def dockerfile(root: Path) -> Path:
    path = root / "deploy" / "images" / "Dockerfile"
    if not path.is_file():
        raise FrozenError(f"{path} does not exist: images are built from it.")
    return path


def code_files(location: str, root: Path) -> list[Path]:
    """The files of the repository that a location's image holds: no tests, nothing hidden, nothing that git ignores."""
    home = root / "code_locations" / location
    wanted = [*_ROOTS, f"code_locations/{location}", *([_DBT] if _uses_dbt(home) else [])]
    return sorted(root / name for name in _known_files(root, wanted) if _belongs(name))


def _uses_dbt(folder: Path) -> bool:
    return any(b"platform_core.dbt" in path.read_bytes() for path in folder.glob("*.py"))


def _known_files(root: Path, names: Iterable[str]) -> Iterator[str]:
    """Files below some names, relative to the root. git knows which are to be ignored; without it all of them count."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *names]
    try:
        done = subprocess.run(listing, capture_output=True, text=True, check=True)
        yield from (name for name in done.stdout.split("\0") if name and (root / name).is_file())
    except (OSError, subprocess.CalledProcessError):
        found = (path for name in names for path in (root / name, *(root / name).rglob("*")))
        yield from (str(path.relative_to(root)) for path in found if path.is_file())


def _belongs(name: str) -> bool:
    parts = Path(name).parts
    hidden = any(part.startswith(".") or part in _NOT_CODE for part in parts)
    return not hidden and not name.startswith(_LEFT_OUT)


def copy_code(environment: Environment, root: Path, folder: Path, git_commit: str) -> None:
    """Writes the repository as an image has it: one location, which is the whole list of locations."""
    for path in code_files(environment.location, root):
        target = folder / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    location = find_location(environment.location)
    (folder / "workspace.yaml").write_text(_WORKSPACE.format(name=location.name, module=location.module))
    (folder / ".python-version").write_text(f"{environment.python}\n")
    version = platform_version(root)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "headrace"\nversion = "{version}"\n')
    code = {"code": code_hash(environment.location, root), "git_commit": git_commit}
    (folder / BUILT_FROM).write_text(json.dumps(code) + "\n")
