"""The dbt project's manifest, parsed once for each state of its files."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from platform_core.dbt.code_versions import code_version
from platform_core.dbt.sentences import of_project
from platform_core.errors import DefinitionError
from platform_core.settings import current_settings

CODE_VERSIONS = "code_versions.json"
_READ_BY = ("dbt-core", "dbt-duckdb")
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
    folder = scratch_folder() / f"parsed-{project_hash()}"
    if not (folder / "manifest.json").is_file():
        _parse_into(folder)
    return folder


def nearest_parse() -> Path:
    """The newest parse there is: dbt parses what changed since by itself, which takes less than compiling it all."""
    parsed = [path.parent for path in scratch_folder().glob("parsed-*/manifest.json")]
    return max(parsed, key=lambda path: path.stat().st_mtime) if parsed else parsed_project()


def scratch_folder() -> Path:
    """Where dbt may write."""
    folder = current_settings().home / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def project_hash() -> str:
    """Names all that a parse of the project follows from."""
    digest = hashlib.sha256("".join(f"{name} {version(name)}\0" for name in _READ_BY).encode())
    digest.update((Path(__file__).parent / "code_versions.py").read_bytes())  # of which the result is kept as well
    for path in project_files():
        digest.update(f"{path.relative_to(project_folder())}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def project_files() -> list[Path]:
    """All that people write in the project."""
    project = project_folder()
    ignored = {project / "target", project / "logs"}
    found = sorted(path for pattern in _PARSED for path in project.rglob(pattern))
    # dbt that is called by hand notes its user in a hidden file.
    return [path for path in found if not ignored.intersection(path.parents) and not path.name.startswith(".")]


def _parse_into(folder: Path) -> None:
    """Compiles beside the target and renames, so that two processes at once do no harm to each other."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "target"
        done = _dbt("compile", target)
        if done.returncode != 0 and _could_not_ask_data(target):
            done = _dbt("parse", target)
        if done.returncode != 0:
            raise DefinitionError(
                f"The dbt project does not parse: {of_project(_last_words(done.stdout), project_folder())}"
            )
        _note_code_versions(target)
        try:
            target.rename(folder)
        except OSError:
            shutil.rmtree(target)  # another process was quicker; its result is the same


def _dbt(verb: str, target: Path) -> subprocess.CompletedProcess[str]:
    folder = str(project_folder())
    where = ["--project-dir", folder, "--profiles-dir", folder, "--target-path", str(target), "--log-path", str(target)]
    command = [dbt_executable(), "--no-use-colors", verb, *where]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dbt_environment())


def _could_not_ask_data(target: Path) -> bool:
    """Whether a model asks for data in order to become SQL: it parses, and was on its way of being compiled."""
    return (target / "manifest.json").is_file() and (target / "graph.gpickle").is_file()


def _note_code_versions(target: Path) -> None:
    manifest = json.loads((target / "manifest.json").read_text())
    kept = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed", "snapshot")]
    found = {node["unique_id"]: code_version(node, manifest["macros"]) for node in kept}
    (target / CODE_VERSIONS).write_text(json.dumps(found))


def code_versions() -> dict[str, str]:
    """By unique id the version of the code of each model, as it is now and as Dagster knows it."""
    return _read_code_versions(parsed_project())


@lru_cache(maxsize=8)
def _read_code_versions(parsed: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((parsed / CODE_VERSIONS).read_text())
    return found


def dbt_environment() -> dict[str, str]:
    return os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def _last_words(output: str) -> str:
    lines = [line.split("  ", 1)[-1].strip() for line in output.splitlines() if line.strip()]
    return " ".join(lines[-4:])
