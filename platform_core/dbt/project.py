"""The dbt project's manifest, parsed once for each state of its files."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from platform_core.errors import DefinitionError
from platform_core.settings import current_settings

_PARSED = ("*.sql", "*.yml", "*.yaml", "*.csv", "*.md")


def project_folder() -> Path:
    return current_settings().repository / "dbt_project"


def dbt_executable() -> str:
    """The dbt of this interpreter's environment."""
    return str(Path(sys.executable).parent / "dbt")


def parsed_project() -> Path:
    """The folder with `manifest.json` and the partial parse of the project as it is now.

    Raises:
        DefinitionError: the project does not parse; the sentence is dbt's, with file and line.
    """
    folder = current_settings().home / "dbt" / f"parsed-{_project_hash(project_folder())}"
    if not (folder / "manifest.json").is_file():
        _parse_into(folder)
    return folder


def _project_hash(project: Path) -> str:
    digest = hashlib.sha256(sys.prefix.encode())
    ignored = {project / "target", project / "logs"}
    for path in sorted(path for pattern in _PARSED for path in project.rglob(pattern)):
        if not ignored.intersection(path.parents):
            digest.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _parse_into(folder: Path) -> None:
    """Parses beside the target and renames, so that two processes at once do no harm to each other."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "target"
        done = subprocess.run(
            _parse_command(target), capture_output=True, text=True, check=False, env=dbt_environment()
        )
        if done.returncode != 0:
            raise DefinitionError(f"The dbt project does not parse: {_last_words(done.stdout)}")
        try:
            target.rename(folder)
        except OSError:
            shutil.rmtree(target)  # another process was quicker; its result is the same


def _parse_command(target: Path) -> list[str]:
    folder = str(project_folder())
    where = ["--project-dir", folder, "--profiles-dir", folder, "--target-path", str(target), "--log-path", str(target)]
    return [dbt_executable(), "--no-use-colors", "parse", *where]


def dbt_environment() -> dict[str, str]:
    return os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def _last_words(output: str) -> str:
    lines = [line.split("  ", 1)[-1].strip() for line in output.splitlines() if line.strip()]
    return " ".join(lines[-4:])
