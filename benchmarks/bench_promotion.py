"""Promoting a one-line change, as a command, against the import that any such command needs."""

import os
import shutil
import subprocess
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.interleave import BenchmarkError, Comparison, Contender, command, interleaved
from tests.end_to_end.small_repository import commit, edit, git, small_repository

PROMOTE, IMPORT = "headrace branch promote", "import dagster"
ROUNDS = 3


def main() -> Comparison:
    with TemporaryDirectory() as scratch:
        copies = _copies(_reviewed(Path(scratch) / "repository"), ROUNDS + 1)
        turn = count()
        contenders = [
            Contender(PROMOTE, lambda: _promote(copies[next(turn)])),
            command(IMPORT, ".venv/bin/python", "-c", "import dagster"),
        ]
        samples = interleaved(contenders, rounds=ROUNDS)
    return Comparison(
        claim="Promoting a one-line change takes at most 4.2 times `import dagster`: 2 s where that takes 0.47 s",
        subject=PROMOTE,
        reference=IMPORT,
        target=4.2,
        samples=samples,
    )


def _reviewed(folder: Path) -> Path:
    """A repository whose branch was run and merged."""
    small_repository(folder)
    _headrace(folder, "run", HEADRACE_NAMESPACE="production")
    git(folder, "switch", "--quiet", "--create", "new-engine")
    _headrace(folder, "branch", "open")
    edit(folder, "FACTOR = 2", "FACTOR = 20")
    commit(folder, "Ten times as much")
    _headrace(folder, "branch", "run")
    git(folder, "switch", "--quiet", "main")
    git(folder, "merge", "--quiet", "new-engine")
    return folder


def _copies(folder: Path, number: int) -> list[Path]:
    return [Path(shutil.copytree(folder, folder.with_name(f"copy-{n}"), symlinks=True)) for n in range(number)]


def _promote(folder: Path) -> None:
    told = _headrace(folder, "branch", "promote", "new-engine")
    if "2 versions of branch/new-engine are production's" not in told:
        raise BenchmarkError(f"{PROMOTE} did something else: {told}")


def _headrace(folder: Path, *arguments: str, **variables: str) -> str:
    ours = {"HEADRACE_REPOSITORY": str(folder), "HEADRACE_HOME": str(folder / ".headrace"), "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [Path.cwd() / ".venv" / "bin" / "headrace", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", **ours, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"headrace {' '.join(arguments)} failed: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout
