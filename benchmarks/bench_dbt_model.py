"""A run of one dbt model of fifty, against the same with dagster-dbt."""

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.dbt_projects import REPOSITORY, Projects, build, projects
from benchmarks.interleave import Comparison, Contender, interleaved

SUBJECT, REFERENCE = "headrace", "dagster-dbt"


def main() -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        both = projects(Path(folder))
        for plain in (False, True):  # what the model reads, and what dbt knows of a project once it was parsed
            build(both, plain=plain)
        samples = interleaved([Contender(name, partial(_run, both, name)) for name in (SUBJECT, REFERENCE)])
    return Comparison(
        claim="A run of one dbt model takes at most 1.1 times the same with dagster-dbt",
        subject=SUBJECT,
        reference=REFERENCE,
        target=1.1,
        samples=samples,
    )


def _run(projects: Projects, name: str) -> None:
    variables = {**projects.variables, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "benchmarks.one_dbt_model", name]
    folder = projects.ours if name == SUBJECT else projects.plain
    subprocess.run(command, cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL)
