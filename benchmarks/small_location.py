"""A location with small assets, and commands that work in it."""

import os
from pathlib import Path

from benchmarks.interleave import BenchmarkError
from tests.end_to_end.conftest import Headrace
from tests.end_to_end.small_repository import small_repository

ASSETS = "code_locations/flights/assets.py"


def commands_in(folder: Path, run: str) -> tuple[Headrace, Path]:
    """The command in a new repository in which some assets were computed, and the repository."""
    repository = small_repository(folder / "repository")
    headrace = Headrace(folder, "user/ann").having(HEADRACE_REPOSITORY=str(repository), PYTHONPATH=str(repository))
    done = headrace("run", run, cwd=repository)
    if done.returncode:
        raise BenchmarkError(done.stdout)
    os.environ |= {**headrace.environment()}  # for what is started here, without the command
    return headrace, repository
